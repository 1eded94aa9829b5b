"""Memory of this process, which only Linux reports, and of a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

Value = TypeVar("Value")

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measure_peak(function: Callable[[], Value], device: torch.device) -> tuple[Value, int | None]:
    """Call a function and measure the peak memory meanwhile.

    Returns its value, and the bytes at the peak beyond those in use before: on the CPU of the resident size of this process,
    None where the system does not report it; on a GPU of the memory that torch has allocated there.
    """
    if device.type == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        return function(), torch.cuda.max_memory_allocated(device) - before
    if not is_reported():
        return function(), None
    forget_peak()
    before = resident_bytes()
    return function(), max(0, peak_resident_bytes() - before)


def is_reported() -> bool:
    """Whether the system reports the memory of a process."""
    return _RESET.exists()


def resident_bytes() -> int:
    """Return the resident size of this process."""
    return _read("VmRSS")


def peak_resident_bytes() -> int:
    """Return the highest resident size of this process since `forget_peak`."""
    return _read("VmHWM")


def forget_peak() -> None:
    """Start measuring the highest resident size anew."""
    _trim()
    _RESET.write_text("5")


def _read(field: str) -> int:
    _trim()
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines[field].split()[0]) * 1024


def _trim() -> None:
    """Give freed memory that the allocator still holds back to the system, so that it does not count."""
    ctypes.CDLL(None).malloc_trim(0)
