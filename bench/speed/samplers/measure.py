"""The measurement of samplers: all variants at all sizes, and the cost of sentence weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from bench.machine.facts import facts
from bench.machine.fresh_process import in_fresh_process
from bench.speed.samplers.epoch_memory import epoch_peak_bytes
from bench.speed.samplers.epoch_timing import LONGEST, ROUNDS, SHORTEST
from bench.speed.samplers.sampler_measurement import SamplerMeasurement, SamplerTiming
from bench.speed.samplers.sentence_cost import measure_sentence_weights
from bench.speed.samplers.size_timing import TOGETHER, time_variants
from bench.speed.samplers.synthetic_items import MEAN_SENTENCE_LENGTH
from bench.speed.timing import ProgressCallback

METHOD = (
    f"one thread; all variants take turns in one process for {ROUNDS} rounds; times are medians over rounds, ratios are medians "
    f"of each round's ratio; a timed run repeats epochs for at least {SHORTEST * 1e3:.0f} ms, right after an untimed pass; an "
    f"epoch that takes longer than {LONGEST:g} s after its first chunk is cut there, and the time before its first chunk is "
    f"divided by all draws of the epoch; above {TOGETHER:,} items each variant takes turns with the lower bound alone"
)
MOST_TOKENS = 20_000_000
"""The most tokens whose sentence weights are timed."""


def measure_samplers(
    sizes: Sequence[int], device: torch.device, command: str, progress: ProgressCallback, *, draws_only: bool = False
) -> SamplerMeasurement:
    """Measure all variants at all sizes, on one thread.

    Parameters
    ----------
    sizes
        Numbers of items.
    device
        The device that indices are sampled on.
    command
        The command line that repeats the measurement: it is kept in the result.
    progress
        Receives one line of text at each stage.
    draws_only
        Time draws alone, not batches, memory and sentence weights; on a GPU always so.
    """
    torch.set_num_threads(1)
    draws_only = draws_only or device.type != "cpu"
    rows = [row for count in sizes for row in measure_size(count, device, progress, draws_only=draws_only)]
    cost = None
    if not draws_only:
        progress("sentence weights")
        cost = measure_sentence_weights(min(MEAN_SENTENCE_LENGTH * max(sizes), MOST_TOKENS))
    return SamplerMeasurement(command, facts(device, "torch", "numba", "numpy"), METHOD, rows, cost)


def measure_size(
    count: int, device: torch.device, progress: ProgressCallback, *, draws_only: bool = False
) -> list[SamplerTiming]:
    """Return a row for every variant at `count` items.

    Items are released after the timing, before memory is measured: the processes that measure it make items of their own.
    """
    rows = time_variants(count, device, progress, draws_only=draws_only)
    if draws_only:
        return rows
    progress(f"{count:,} items: memory, each in a process of its own")
    return [
        row if row.draw_ns is None else replace(row, peak_bytes=in_fresh_process(epoch_peak_bytes, row.variant, count))
        for row in rows
    ]
