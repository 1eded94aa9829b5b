"""The memory that an epoch needs, as the operating system sees it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import torch

from bench.samplers.items import Items
from bench.samplers.streams import Stream
from bench.samplers.timing import Walk, walked
from bench.samplers.variants import variants

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_bytes(name: str, items: int) -> int | None:
    """Bytes that an epoch of batches holds at its peak, tables included, labels and weights not; call it in a fresh process.

    The highest resident size during the epoch, less that just before construction; what construction itself takes for a
    while is given back in between. None where the system does not tell: only Linux does.
    """
    if not _RESET.exists():
        return None
    torch.set_num_threads(1)
    build = next(each.build for each in variants(torch.device("cpu")) if each.name == name)
    _pass(build(Items(1000)))  # what it imports and compiles is no sampler's memory
    given = Items(items)
    given.read()
    before = _resident("VmRSS")
    stream = build(given)
    _resident("VmRSS")
    _RESET.write_text("5")  # the highest size so far is forgotten
    _pass(stream)
    return max(0, _resident("VmHWM") - before)


def _pass(stream: Stream) -> None:
    walked(Walk(stream.batches, len, lambda: stream.epoch))


def _resident(field: str) -> int:
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that the allocator keeps is nobody's
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines[field].split()[0]) * 1024
