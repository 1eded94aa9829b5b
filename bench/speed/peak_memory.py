"""The memory that a variant holds at its peak."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from bench.machine.memory import forget_peak, is_reported, peak_resident_bytes, resident_bytes

Built = TypeVar("Built")


def can_measure_memory(device: torch.device) -> bool:
    """Return whether peak memory can be measured: on any GPU, and on a CPU where the system reports it (Linux)."""
    return device.type == "cuda" or is_reported()


def peak_bytes(build: Callable[[], Built], use: Callable[[Built], object], device: torch.device) -> int | None:
    """Return the peak memory in bytes while `use` works on what `build` returns; None where it cannot be measured.

    On a CPU this is the highest resident size during `use`, less the resident size before `build`: what was built counts, what
    building it took for a while does not; call it in a fresh process. On a GPU it is the most that torch has allocated there
    beyond what was allocated before, which any process can measure exactly.
    """
    if not can_measure_memory(device):
        return None
    if device.type == "cuda":
        allocated_before = torch.cuda.memory_allocated(device)
        built = build()
        torch.cuda.reset_peak_memory_stats(device)
        use(built)
        return torch.cuda.max_memory_allocated(device) - allocated_before
    before = resident_bytes()
    built = build()
    forget_peak()
    use(built)
    return max(0, peak_resident_bytes() - before)
