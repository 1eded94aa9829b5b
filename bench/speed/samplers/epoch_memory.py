"""The memory that an epoch of batches needs."""

from __future__ import annotations

import torch

from bench.speed.peak_memory import can_measure_memory, peak_bytes
from bench.speed.samplers.epoch_streams import EpochSource
from bench.speed.samplers.epoch_timing import EpochPass, time_pass
from bench.speed.samplers.synthetic_items import SyntheticItems
from bench.speed.samplers.variants import list_variants
from strategies.draw.streams import CPU


def epoch_peak_bytes(name: str, count: int) -> int | None:
    """Return the bytes that an epoch of batches holds at its peak, for the variant `name` on `count` items.

    Tables of the sampler count; labels and weights do not. Call it in a fresh process. None where memory is not measurable.
    """
    if not can_measure_memory(CPU):
        return None
    torch.set_num_threads(1)
    build = next(variant.build for variant in list_variants(CPU) if variant.name == name)
    _go_through_batches(
        build(SyntheticItems(1000))
    )  # memory of what is imported and compiled once is not the sampler's
    items = SyntheticItems(count)
    items.prepare()
    return peak_bytes(lambda: build(items), _go_through_batches, CPU)


def _go_through_batches(stream: EpochSource) -> None:
    time_pass(EpochPass(stream.batches, len, lambda: stream.epoch_length))
