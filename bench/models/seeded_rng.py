"""Torch's global random numbers for a user's module: seeded by the harness, and restored afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def isolated_rng(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global random numbers within the block, and restore their state after it.

    >>> with isolated_rng(3, torch.device("cpu")):
    ...     first = torch.rand(())
    >>> with isolated_rng(3, torch.device("cpu")):
    ...     bool(torch.rand(()) == first)
    True
    """
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield
