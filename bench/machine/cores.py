"""The processor cores that this process may use, and the workers that train on them."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many cores this process may run on: a container's share, not the machine's number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers(device_type: str) -> int:
    """Return how many workers train at once where the user does not say: one on a GPU, one per core of a CPU.

    >>> default_workers("cuda")
    1
    """
    return 1 if device_type == "cuda" else os.cpu_count() or 1
