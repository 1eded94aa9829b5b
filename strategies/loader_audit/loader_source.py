"""What is behind a loader: its data set, its samplers, and how to iterate over one epoch of it."""

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
from strategies.draw.outer_shards import count_shares, shares_any_sampler
from strategies.samplers import WeightedSampler


@dataclass(frozen=True)
class Sharing:
    """Something that gives each process a share of the samples.

    Parameters
    ----------
    name
        Its class.
    processes
        The number of processes, at least 2.
    rank
        The process that it is for, from 0; None where it does not say.
    """

    name: str
    processes: int
    rank: int | None


@dataclass(frozen=True)
class LoaderSource:
    """Where indices or batches come from.

    Parameters
    ----------
    iterate_epoch
        Returns an iterable over one epoch of indices, batches of indices, or batches of data.
    samplers
        From the outermost to the innermost, such as (BatchSampler, WeightedRandomSampler).
    loader
        The `DataLoader`, if one was given.
    single_use
        Whether it is a running generator, which can be read only once.
    """

    iterate_epoch: Callable[[], Iterable[Any]]
    samplers: tuple[Any, ...]
    loader: DataLoader[Any] | None = None
    single_use: bool = False

    @property
    def dataset(self) -> Any | None:
        return None if self.loader is None else self.loader.dataset

    @property
    def dataset_length(self) -> int | None:
        """Number of items of the data set; None where it is not known, and for a stream, which may yield a share of its items."""
        is_sized = self.dataset is not None and not self.is_stream and hasattr(self.dataset, "__len__")
        return len(self.dataset) if is_sized else None  # type: ignore[arg-type]

    @property
    def weighted_sampler(self) -> Any | None:
        """The sampler that has `weights (W,)`, None if none has."""
        return next((sampler for sampler in self.samplers if _sampler_weights(sampler) is not None), None)

    @property
    def weights(self) -> Tensor | None:
        """The weights `(W,)` of the weighted sampler: one per item if it is used correctly."""
        return _sampler_weights(self.weighted_sampler)

    @property
    def project_sampler(self) -> IndexSampler | None:
        """The sampler of this package, None if there is none."""
        return next((sampler for sampler in self.samplers if isinstance(sampler, IndexSampler)), None)

    @property
    def sized_sampler(self) -> tuple[Any, int] | None:
        """The sampler that says for how many items it was built, and that number; None if no sampler says so."""
        if self.weighted_sampler is not None and self.weights is not None:
            return self.weighted_sampler, len(self.weights)
        sampler = self.project_sampler
        return None if sampler is None else (sampler, sampler.stream.items)

    def has_custom_mix(self, single_label: bool) -> bool:
        """Whether a sampler of this package was asked for another mix than equal classes.

        Item weights of a user (`WeightedSampler`) do not count: they are more often meant to balance the classes than not.
        Equal classes count where items have many labels (`single_label` is False), as they do not balance the labels.
        """
        sampler = self.project_sampler
        if sampler is None or isinstance(sampler, WeightedSampler):
            return False
        has_equal_classes = bool(getattr(sampler.stream, "has_equal_shares", False))
        return not (single_label and has_equal_classes)

    @property
    def distributed_sampler(self) -> DistributedSampler[Any] | None:
        return next((sampler for sampler in self.samplers if isinstance(sampler, DistributedSampler)), None)

    @property
    def sharings(self) -> tuple[Sharing, ...]:
        """Everything that gives each process a share of the samples, from the outermost to the innermost.

        A sampler of this package that finds the processes by itself does not, where something around it does.
        """
        found: list[Sharing] = []
        around = [owner for owner in (self.loader, self.dataset) if shares_any_sampler(owner)]
        owners = (*around, *self.samplers)
        for owner in owners:
            is_own = isinstance(owner, IndexSampler)
            processes = owner.num_replicas if is_own else count_shares(owner)
            if is_own and owner.shares_by_default and any(map(shares_any_sampler, owners)):
                continue
            if processes > 1:
                places = (owner, getattr(owner, "state", None))
                ranks = (getattr(place, name, None) for place in places for name in ("rank", "process_index", "_rank"))
                rank = next((rank for rank in ranks if isinstance(rank, int)), None)
                found.append(Sharing(type(owner).__name__, processes, rank))
        return tuple(found)

    @property
    def is_stream(self) -> bool:
        """Whether the loader reads an `IterableDataset`, which takes no sampler."""
        return self.loader is not None and isinstance(self.loader.dataset, IterableDataset)

    @property
    def is_sequential(self) -> bool:
        """Whether items come in the order of the data set, so that only a whole epoch shows their mix."""
        innermost = self.samplers[-1] if self.samplers else None
        unshuffled = isinstance(innermost, DistributedSampler) and not innermost.shuffle
        return isinstance(innermost, SequentialSampler) or unshuffled

    @property
    def yields_indices(self) -> bool:
        """Whether a whole number must be an index; what an `IterableDataset` yields never is."""
        return not self.is_stream

    @property
    def batch_size(self) -> int | None:
        if self.loader is not None and self.loader.batch_size:
            return self.loader.batch_size
        sizes = (getattr(sampler, "batch_size", None) for sampler in self.samplers)
        return next((size for size in sizes if isinstance(size, int)), None)


def find_source(given: Any) -> LoaderSource:
    """Return what to read of a `DataLoader`, a sampler, an iterable of indices or batches, or a function that returns one.

    >>> find_source(DataLoader(range(4), batch_size=2)).samplers[-1].__class__.__name__
    'SequentialSampler'
    """
    if isinstance(given, DataLoader):
        if isinstance(given.dataset, IterableDataset):
            return LoaderSource(lambda: given, (), given)
        # The sampler alone shows what is sampled: the data need not be read.
        outermost = given.sampler if given.batch_sampler is None else given.batch_sampler
        return LoaderSource(lambda: outermost, _sampler_chain(outermost), given)
    if isinstance(given, Iterator):
        return LoaderSource(lambda: given, (), single_use=True)
    if hasattr(given, "__iter__"):
        return LoaderSource(lambda: given, _sampler_chain(given))
    if callable(given):
        return LoaderSource(given, ())
    raise ValueError(
        f"audit reads a DataLoader, a sampler, an iterable of indices or of batches, or a function that returns one; "
        f"given: {type(given).__name__}. Give what your training loop iterates over."
    )


def _sampler_chain(sampler: Any) -> tuple[Any, ...]:
    """Return a sampler and the samplers inside it, from the outermost to the innermost."""
    chain = [sampler]
    while (inner := _inner_sampler(chain[-1])) is not None and not any(inner is known for known in chain):
        chain.append(inner)
    return tuple(chain)


def _inner_sampler(sampler: Any) -> Any | None:
    """Return the sampler that another one reads, if any; a `DistributedSampler` may read one through a data set of indices."""
    places = [sampler, sampler.dataset] if isinstance(sampler, DistributedSampler) else [sampler]
    names = ("batch_sampler", "sampler", "_sampler")
    found = (getattr(place, name, None) for place in places for name in names)
    return next((inner for inner in found if inner is not None), None)


def _sampler_weights(sampler: Any) -> Tensor | None:
    weights = getattr(sampler, "weights", None)
    if isinstance(weights, list | np.ndarray):
        weights = torch.as_tensor(weights)
    return weights if isinstance(weights, Tensor) and weights.ndim == 1 else None
