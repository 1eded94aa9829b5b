"""The processor cores that this process may use."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many cores this process may run on: a container's share, not the machine's number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
