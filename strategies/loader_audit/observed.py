"""What a loader draws: the indices, or the labels where it hands out no indices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strategies.loader_audit.batch_labels import batch_targets
from strategies.loader_audit.loader_source import LoaderSource
from strategies.loader_audit.preserved_state import preserve_state

LIMIT = 100_000
"""Items drawn at most, except where they come in the order of the data set."""


@dataclass
class Observation:
    """Items as they came: `index` of each in the data set, or its `targets` where only these are to be seen."""

    index: list[int] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    batch_sizes: list[int] = field(default_factory=list)
    first_epoch: int = 0
    """Draws of the first epoch, or of as much of it as was read."""
    whole: bool = False
    """Whether the first epoch was read to its end."""

    def __len__(self) -> int:
        return len(self.index) or len(self.targets)

    @property
    def epoch_index(self) -> Tensor:
        """Items of the first epoch (M,)."""
        return torch.tensor(self.index[: self.first_epoch], dtype=torch.int64)

    def cut(self, length: int) -> None:
        """Forgets what came after `length` draws."""
        batches = np.searchsorted(np.cumsum(self.batch_sizes), length, side="right")
        del self.index[length:], self.targets[length:], self.batch_sizes[int(batches) :]


def observe(source: LoaderSource, wanted: int, batch_size: int | None = None) -> Observation:
    """One epoch, and more of them until `wanted` items are drawn, at most `LIMIT`; nothing of the source is left changed.

    An epoch that holds the same items as the one before says nothing new: it is forgotten.

    >>> from strategies.loader_audit.loader_source import source_of
    >>> draw(source_of([2, 0, 1]), wanted=100).index
    [2, 0, 1]
    """
    draws = Observation()
    limit = None if source.in_order else LIMIT
    holders = (*source.samplers, *([source.loader] if source.loader is not None else []))
    with preserve_state(holders):
        begin = 0
        while begin == 0 or begin < min(wanted, LIMIT):
            whole = _read_epoch(source, draws, limit, batch_size)
            if begin == 0:
                draws.first_epoch, draws.whole = len(draws), whole
            elif _same_epoch(draws, begin):
                draws.cut(begin)
                break
            if source.once or not whole or len(draws) == begin:
                break
            begin = len(draws)
    return draws


def _read_epoch(source: LoaderSource, draws: Observation, limit: int | None, batch_size: int | None) -> bool:
    alone, whole = 0, True
    for element in source.epoch():
        alone += _read(element, source, draws)
        if limit is not None and len(draws) > limit:
            whole = False
            break
    if batch_size is not None and alone:
        draws.batch_sizes += [batch_size] * (alone // batch_size)
        draws.batch_sizes += [alone % batch_size] if alone % batch_size else []
    if limit is not None:
        draws.cut(limit)
    return whole


def _read(element: Any, source: LoaderSource, draws: Observation) -> int:
    """Adds one element; 1 where it was an item alone, 0 for a batch."""
    index = _indices(element) if source.yields_indices else None
    if isinstance(index, int):
        draws.index.append(index)
        return 1
    if index is not None:
        draws.index += index
        draws.batch_sizes.append(len(index))
        return 0
    targets = batch_targets(element)
    if targets is None:
        raise ValueError(
            "audit needs batches of (x, y), or lists of (x, y) items, or indices, to see which classes come; "
            f"given: batches of type {type(element).__name__}. Yield the labels beside the inputs, or the indices."
        )
    draws.targets += targets
    draws.batch_sizes.append(len(targets))
    return 0


def _indices(element: Any) -> int | list[int] | None:
    if isinstance(element, Tensor | np.ndarray | np.integer):
        element = element.tolist()
    if isinstance(element, int) and not isinstance(element, bool):
        return element
    if isinstance(element, Sequence) and not isinstance(element, str) and all(type(each) is int for each in element):
        return list(element)
    if isinstance(element, list) and all(isinstance(each, Tensor | np.integer) and each.ndim == 0 for each in element):
        return [int(each) for each in element]
    return None


def _same_epoch(draws: Observation, begin: int) -> bool:
    drawn = draws.index or draws.targets
    size = len(drawn) - begin
    return _sorted(drawn[begin:]) == _sorted(drawn[begin - size : begin]) if 0 < size <= begin else False


def _sorted(items: Sequence[Any]) -> Iterator[Any] | list[Any]:
    return sorted(items, key=repr) if items and not isinstance(items[0], int) else sorted(items)
