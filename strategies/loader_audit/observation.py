"""Observe what a loader samples: the indices, or the labels where it yields no indices."""

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

MAX_ITEMS = 100_000
"""Items that are read at most, except where they come in the order of the data set."""


@dataclass
class Observation:
    """The items that a loader yielded, in order, over one or more epochs."""

    indices: list[int] = field(default_factory=list)
    """The index of each item in the data set; empty if only labels were observed."""
    targets: list[Any] = field(default_factory=list)
    """The label or labels of each item, where the loader yields no indices."""
    batch_sizes: list[int] = field(default_factory=list)
    first_epoch_length: int = 0
    """Items of the first epoch, or of as much of it as was read."""
    first_epoch_complete: bool = False
    """Whether the first epoch was read to its end."""

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.indices) or len(self.targets)

    @property
    def first_epoch_indices(self) -> Tensor:
        """Indices of the items of the first epoch, `(M,)`."""
        return torch.tensor(self.indices[: self.first_epoch_length], dtype=torch.int64)

    @property
    def highest_index(self) -> int:
        """The highest index, -1 if none was observed."""
        return max(self.indices, default=-1)

    def truncate(self, length: int) -> None:
        """Keep only the first `length` items."""
        batches = np.searchsorted(np.cumsum(self.batch_sizes), length, side="right")
        del self.indices[length:], self.targets[length:], self.batch_sizes[int(batches) :]


def observe(source: LoaderSource, wanted: int, batch_size: int | None = None) -> Observation:
    """Read one epoch, and more of them until `wanted` items are read, at most `MAX_ITEMS`.

    Samplers, loader and random states are left as they were. An epoch of the same items as the one before adds no information
    and ends the reading: it is dropped. `batch_size` is that of the training loop where the source yields single items.

    >>> from strategies.loader_audit.loader_source import find_source
    >>> observe(find_source([2, 0, 1]), wanted=100).indices
    [2, 0, 1]
    """
    observation = Observation()
    limit = None if source.is_sequential else MAX_ITEMS
    state_holders = (*source.samplers, *([source.loader] if source.loader is not None else []))
    with preserve_state(state_holders):
        begin = 0
        while begin == 0 or begin < min(wanted, MAX_ITEMS):
            complete = _read_epoch(source, observation, limit, batch_size)
            if begin == 0:
                observation.first_epoch_length, observation.first_epoch_complete = len(observation), complete
            elif _repeats_epoch(observation, begin):
                observation.truncate(begin)
                break
            if source.single_use or not complete or len(observation) == begin:
                break
            begin = len(observation)
    return observation


def _read_epoch(source: LoaderSource, observation: Observation, limit: int | None, batch_size: int | None) -> bool:
    """Add one epoch to the observation; return whether it was read to its end."""
    single_items, complete = 0, True
    for element in source.iterate_epoch():
        single_items += _read_element(element, source, observation)
        if limit is not None and len(observation) > limit:
            complete = False
            break
    if batch_size is not None and single_items:
        full, remainder = divmod(single_items, batch_size)
        observation.batch_sizes += [batch_size] * full + [remainder] * (remainder > 0)
    if limit is not None:
        observation.truncate(limit)
    return complete


def _read_element(element: Any, source: LoaderSource, observation: Observation) -> int:
    """Add one item or batch to the observation; return 1 for a single item, 0 for a batch."""
    indices = _parse_indices(element) if source.yields_indices else None
    if isinstance(indices, int):
        observation.indices.append(indices)
        return 1
    if indices is not None:
        observation.indices += indices
        observation.batch_sizes.append(len(indices))
        return 0
    targets = batch_targets(element)
    if targets is None:
        raise ValueError(
            "audit needs batches of (x, y), or lists of (x, y) items, or indices, to see which classes are sampled; "
            f"given: batches of type {type(element).__name__}. Yield the labels next to the inputs, or the indices."
        )
    observation.targets += targets
    observation.batch_sizes.append(len(targets))
    return 0


def _parse_indices(element: Any) -> int | list[int] | None:
    """Return an index or a batch of them; None if the element is something else."""
    if isinstance(element, Tensor | np.ndarray | np.integer):
        element = element.tolist()
    if isinstance(element, int) and not isinstance(element, bool):
        return element
    if isinstance(element, Sequence) and not isinstance(element, str) and all(type(value) is int for value in element):
        return list(element)
    if isinstance(element, list) and all(
        isinstance(value, Tensor | np.integer) and value.ndim == 0 for value in element
    ):
        return [int(value) for value in element]
    return None


def _repeats_epoch(observation: Observation, begin: int) -> bool:
    """Whether the epoch that begins at `begin` holds the same items as the one before."""
    items = observation.indices or observation.targets
    size = len(items) - begin
    if not 0 < size <= begin:
        return False
    return _sort(items[begin:]) == _sort(items[begin - size : begin])


def _sort(items: Sequence[Any]) -> Iterator[Any] | list[Any]:
    return sorted(items, key=repr) if items and not isinstance(items[0], int) else sorted(items)
