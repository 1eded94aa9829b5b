"""Global random numbers of torch and numpy for a user's code: seeded by the harness, and restored afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
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


@contextmanager
def isolated_numpy_rng(seed: int) -> Iterator[None]:
    """Seed numpy's global random numbers within the block, and restore their state after it.

    >>> with isolated_numpy_rng(3):
    ...     first = np.random.random()
    >>> with isolated_numpy_rng(3):
    ...     bool(np.random.random() == first)
    True
    """
    before = np.random.get_state()  # noqa: NPY002  (the generator that scikit-learn and its kin draw from by default)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
