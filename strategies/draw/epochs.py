"""Streams of index batches made of epochs laid end to end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import torch
from torch import Generator, Tensor
from torch.utils.data import WeightedRandomSampler

from strategies.draw.index_sampler import CHUNK
from strategies.draw.streams import Draws, whole
from strategies.draw.weights import warn_of_few


def shuffled_epochs(items: int, *, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Every item once an epoch in random order, without end: batches of indices `(batch_size,)`, across epoch borders.

    >>> batches = shuffled_epochs(3, batch_size=2, seed=0)
    >>> sorted(torch.cat([next(batches) for _ in range(3)]).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    _check(items, batch_size)
    generator = Generator().manual_seed(seed)
    return _chained((torch.randperm(items, generator=generator) for _ in count()), batch_size)


def weighted_epochs(weights: Tensor, *, batch_size: int, seed: int) -> Iterator[Tensor]:
    """PyTorch's own `WeightedRandomSampler` over `weights (N,)`, N draws an epoch with replacement, without end.

    Warns where few items carry nearly all the weight.
    """
    warn_of_few(weights)
    generator = Generator().manual_seed(seed)
    sampler = WeightedRandomSampler(weights.to(torch.float64), len(weights), replacement=True, generator=generator)  # type: ignore[arg-type]
    return _chained((torch.tensor(list(sampler)) for _ in count()), batch_size)


def drawn_epochs(draws: Draws, *, batch_size: int) -> Iterator[Tensor]:
    """The epochs of `draws`, without end: batches of indices `(batch_size,)`, across epoch borders.

    >>> from strategies.draw.repeat_factor import RepeatFactor
    >>> batches = drawn_epochs(RepeatFactor(torch.ones(3), seed=0), batch_size=2)
    >>> sorted(torch.cat([next(batches) for _ in range(3)]).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    _check(draws.items, batch_size)
    piece = batch_size * max(1, CHUNK // batch_size)
    return _chained(
        (draws.take(epoch, positions) for epoch in count() for positions in _pieces(draws, epoch, piece)), batch_size
    )


def _check(items: int, batch_size: int) -> None:
    whole("batch_size", batch_size)
    if not items:
        raise ValueError("there is nothing to draw: the labels hold no items")


def _pieces(draws: Draws, epoch: int, size: int) -> Iterator[range]:
    length = draws.length(epoch)
    return (range(at, min(at + size, length)) for at in range(0, length, size))


def _chained(pieces: Iterator[Tensor], batch_size: int) -> Iterator[Tensor]:
    left = torch.empty(0, dtype=torch.int64)
    for piece in pieces:
        left = torch.cat([left, piece])
        ready = len(left) // batch_size * batch_size
        yield from torch.split(left[:ready], batch_size) if ready else ()
        left = left[ready:]
