"""What stands behind a loader: its data set, its samplers, and how to read an epoch of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, SequentialSampler
from torch.utils.data.distributed import DistributedSampler

from strategies.draw.index_sampler import IndexSampler
from strategies.samplers import WeightedSampler


@dataclass(frozen=True)
class LoaderSource:
    """Where indices or batches come from. `samplers` are the outermost first, such as (BatchSampler, WeightedRandomSampler)."""

    epoch: Callable[[], Iterable[Any]]
    samplers: tuple[Any, ...]
    loader: DataLoader[Any] | None = None
    once: bool = False
    """A running generator: it can be read once, and is then spent."""

    @property
    def dataset(self) -> Any | None:
        return None if self.loader is None else self.loader.dataset

    @property
    def weighted(self) -> Any | None:
        """The sampler that draws by `weights (W,)`, None if none does."""
        return next((each for each in self.samplers if _weights(each) is not None), None)

    @property
    def weights(self) -> Tensor | None:
        return _weights(self.weighted)

    @property
    def made_for(self) -> tuple[Any, int] | None:
        """The sampler that was made for so many items, by its weights or as this package's are; None if none says so."""
        if self.weighted is not None and self.weights is not None:
            return self.weighted, len(self.weights)
        ours = next((each for each in self.samplers if isinstance(each, IndexSampler)), None)
        return None if ours is None else (ours, ours.stream.items)

    def has_own_mix(self, one_each: bool) -> bool:
        """Whether a sampler of this package draws a mix that it was asked for, other than equal classes or a user's weights.

        Equal classes of one label an item (`one_each`) are no usual mix of the many labels of items.
        """
        ours = next((each for each in self.samplers if isinstance(each, IndexSampler)), None)
        return not (
            ours is None
            or isinstance(ours, WeightedSampler)
            or (one_each and getattr(ours.stream, "has_equal_shares", False))
        )

    @property
    def distributed(self) -> DistributedSampler[Any] | None:
        return next((each for each in self.samplers if isinstance(each, DistributedSampler)), None)

    @property
    def in_order(self) -> bool:
        """Whether items come in the order of the data set, so that only a whole epoch shows their mix."""
        last = self.samplers[-1] if self.samplers else None
        return isinstance(last, SequentialSampler) or (isinstance(last, DistributedSampler) and not last.shuffle)

    @property
    def yields_indices(self) -> bool:
        """Whether a whole number that comes out must be an index; what an `IterableDataset` yields never is."""
        return self.loader is None or not isinstance(self.loader.dataset, IterableDataset)

    @property
    def batch_size(self) -> int | None:
        given = self.loader.batch_size if self.loader is not None else None
        return given or next((each.batch_size for each in self.samplers if isinstance(_batch_size(each), int)), None)


def find_source(given: Any) -> LoaderSource:
    """What to read of a `DataLoader`, a sampler, an iterable of indices or batches, or a function that returns one.

    >>> source_of(DataLoader(range(4), batch_size=2)).samplers[-1].__class__.__name__
    'SequentialSampler'
    """
    if isinstance(given, DataLoader):
        if isinstance(given.dataset, IterableDataset):
            return LoaderSource(lambda: given, (), given)
        outer = given.sampler if given.batch_sampler is None else given.batch_sampler
        return LoaderSource(lambda: outer, _chain(outer), given)
    if isinstance(given, Iterator):
        return LoaderSource(lambda: given, (), once=True)
    if hasattr(given, "__iter__"):
        return LoaderSource(lambda: given, _chain(given))
    if callable(given):
        return LoaderSource(given, ())
    raise ValueError(
        f"audit reads a DataLoader, a sampler, an iterable of indices or of batches, or a function that returns one; "
        f"given: {type(given).__name__}. Give what your training loop iterates over."
    )


def _chain(sampler: Any) -> tuple[Any, ...]:
    chain = [sampler]
    while (inner := getattr(chain[-1], "sampler", None)) is not None and not any(inner is each for each in chain):
        chain.append(inner)
    return tuple(chain)


def _weights(sampler: Any) -> Tensor | None:
    weights = getattr(sampler, "weights", None)
    if isinstance(weights, list | np.ndarray):
        weights = torch.as_tensor(weights)
    return weights if isinstance(weights, Tensor) and weights.ndim == 1 else None


def _batch_size(sampler: Any) -> Any:
    return getattr(sampler, "batch_size", None)
