"""Endless batches of indices, made of epochs laid end to end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import torch
from torch import Generator, Tensor
from torch.utils.data import WeightedRandomSampler

from strategies.draw.index_sampler import CHUNK
from strategies.draw.streams import IndexStream, whole_number
from strategies.draw.weights import warn_if_few_items_dominate


def shuffled_epochs(items: int, *, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Yield every item once per epoch in random order, without end: batches of indices `(batch_size,)`, across epoch borders.

    >>> batches = shuffled_epochs(3, batch_size=2, seed=0)
    >>> sorted(torch.cat([next(batches) for _ in range(3)]).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    _check(items, batch_size)
    generator = Generator().manual_seed(seed)
    return _batches((torch.randperm(items, generator=generator) for _ in count()), batch_size)


def weighted_epochs(weights: Tensor, *, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Yield what PyTorch's `WeightedRandomSampler` samples by `weights (N,)`, N draws per epoch with replacement, without end.

    Warns if a few items have nearly all the weight.
    """
    warn_if_few_items_dominate(weights)
    generator = Generator().manual_seed(seed)
    sampler = WeightedRandomSampler(weights.to(torch.float64), len(weights), replacement=True, generator=generator)  # type: ignore[arg-type]
    return _batches((torch.tensor(list(sampler)) for _ in count()), batch_size)


def stream_epochs(stream: IndexStream, *, batch_size: int) -> Iterator[Tensor]:
    """Yield the epochs of a stream, without end: batches of indices `(batch_size,)`, across epoch borders.

    >>> from strategies.draw.repeat_factor import RepeatFactor
    >>> batches = stream_epochs(RepeatFactor(torch.ones(3), seed=0), batch_size=2)
    >>> sorted(torch.cat([next(batches) for _ in range(3)]).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    _check(stream.items, batch_size)
    chunk = batch_size * max(1, CHUNK // batch_size)
    chunks = (stream.indices_at(epoch, part) for epoch in count() for part in _parts(stream, epoch, chunk))
    return _batches(chunks, batch_size)


def _check(items: int, batch_size: int) -> None:
    whole_number("batch_size", batch_size)
    if not items:
        raise ValueError("there are no items to sample: the labels are empty")


def _parts(stream: IndexStream, epoch: int, size: int) -> Iterator[range]:
    """Split the positions of an epoch into ranges of `size`."""
    length = stream.length(epoch)
    return (range(at, min(at + size, length)) for at in range(0, length, size))


def _batches(chunks: Iterator[Tensor], batch_size: int) -> Iterator[Tensor]:
    """Cut a sequence of index tensors into batches of one size; what is left of a chunk begins the next batch."""
    remainder = torch.empty(0, dtype=torch.int64)
    for chunk in chunks:
        remainder = torch.cat([remainder, chunk])
        complete = len(remainder) // batch_size * batch_size
        if complete:
            yield from torch.split(remainder[:complete], batch_size)
        remainder = remainder[complete:]
