"""The memory that an epoch needs, as the operating system sees it."""

from __future__ import annotations

import torch

from bench.machine.memory import forget_peak, is_reported, peak_resident_bytes, resident_bytes
from bench.speed.samplers.items import Items
from bench.speed.samplers.streams import Stream
from bench.speed.samplers.timing import Walk, walked
from bench.speed.samplers.variants import variants


def peak_bytes(name: str, items: int) -> int | None:
    """Bytes that an epoch of batches holds at its peak, tables included, labels and weights not; call it in a fresh process.

    The highest resident size during the epoch, less that just before construction; what construction itself takes for a
    while is given back in between. None where the system does not tell: only Linux does.
    """
    if not is_reported():
        return None
    torch.set_num_threads(1)
    build = next(each.build for each in variants(torch.device("cpu")) if each.name == name)
    _pass(build(Items(1000)))  # what it imports and compiles is no sampler's memory
    given = Items(items)
    given.read()
    before = resident_bytes()
    stream = build(given)
    forget_peak()
    _pass(stream)
    return max(0, peak_resident_bytes() - before)


def _pass(stream: Stream) -> None:
    walked(Walk(stream.batches, len, lambda: stream.epoch))
