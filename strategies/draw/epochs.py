"""Streams of index batches made of epochs laid end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor
from torch.utils.data import WeightedRandomSampler

from strategies.draw.weights import warn_of_few


def shuffled_epochs(items: int, *, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Every item once an epoch in random order, without end: batches of indices `(batch_size,)`, across epoch borders.

    >>> batches = shuffled_epochs(3, batch_size=2, seed=0)
    >>> sorted(torch.cat([next(batches) for _ in range(3)]).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    generator = Generator().manual_seed(seed)
    return _chained(lambda: torch.randperm(items, generator=generator), batch_size)


def weighted_epochs(weights: Tensor, *, batch_size: int, seed: int) -> Iterator[Tensor]:
    """PyTorch's own `WeightedRandomSampler` over `weights (N,)`, N draws an epoch with replacement, without end.

    Warns where few items carry nearly all the weight.
    """
    warn_of_few(weights)
    generator = Generator().manual_seed(seed)
    sampler = WeightedRandomSampler(weights.to(torch.float64), len(weights), replacement=True, generator=generator)  # type: ignore[arg-type]
    return _chained(lambda: torch.tensor(list(sampler)), batch_size)


def _chained(epoch: Callable[[], Tensor], batch_size: int) -> Iterator[Tensor]:
    left = torch.empty(0, dtype=torch.int64)
    while True:
        while len(left) < batch_size:
            left = torch.cat([left, epoch()])
        whole = len(left) // batch_size * batch_size
        yield from torch.split(left[:whole], batch_size)
        left = left[whole:]
