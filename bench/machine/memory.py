"""What this process holds in memory, as the operating system sees it: only Linux tells."""

from __future__ import annotations

import ctypes
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def is_told() -> bool:
    """Whether the system tells."""
    return _RESET.exists()


def resident_bytes() -> int:
    """Resident size now."""
    return _read("VmRSS")


def peak_resident_bytes() -> int:
    """The highest resident size since `forget_peak`."""
    return _read("VmHWM")


def forget_peak() -> None:
    """From now on the highest resident size counts anew."""
    _trim()
    _RESET.write_text("5")


def _read(field: str) -> int:
    _trim()
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines[field].split()[0]) * 1024


def _trim() -> None:
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that the allocator keeps is nobody's
