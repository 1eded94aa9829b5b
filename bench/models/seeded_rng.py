"""What a module of a reader's draws from torch's global random numbers: seeded by the harness, and without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def drawing(seed: int, device: torch.device) -> Iterator[None]:
    """In here torch's global random numbers start from `seed`; after it they go on as if nothing had been drawn.

    >>> with drawing(3, torch.device("cpu")):
    ...     first = torch.rand(())
    >>> with drawing(3, torch.device("cpu")):
    ...     bool(torch.rand(()) == first)
    True
    """
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield
