"""Whether the code that iterates over a sampler shares out its samples among processes already."""

from __future__ import annotations

import sys
from typing import Any

SHARDING_CLASSES = {
    "BatchSamplerShard",  # accelerate, and with it the Trainer of transformers
    "DataLoaderDispatcher",  # accelerate with dispatch_batches=True
    "IterableDatasetShard",  # accelerate and transformers
    "DistributedSamplerWrapper",  # Lightning and catalyst
    "UnrepeatedDistributedSamplerWrapper",  # Lightning
    "DistributedProxySampler",  # ignite
}
"""Names of the classes of other libraries that iterate over a sampler and give each process a share of what it samples."""
NUMBERS_OF_PROCESSES = ("num_processes", "num_replicas", "world_size", "_world_size")
"""Attributes under which they and other samplers keep the number of processes."""


class ShardedTwiceError(ValueError):
    """A sampler was given its number of processes, and the code that iterates shares out its samples again."""


def count_shares(owner: Any) -> int:
    """Return among how many processes a sampler or loader shares out what it iterates over: 1 if it shares out nothing.

    >>> from torch.utils.data import DistributedSampler, SequentialSampler
    >>> count_shares(DistributedSampler(range(10), num_replicas=2, rank=0)), count_shares(SequentialSampler(range(10)))
    (2, 1)
    """
    places = (owner, getattr(owner, "state", None))
    numbers = (getattr(place, name, None) for place in places for name in NUMBERS_OF_PROCESSES)
    return next((number for number in numbers if isinstance(number, int)), 1)


def find_outer_sharding() -> tuple[str, int] | None:
    """Return which caller shares out the samples, as the name of its class and the number of processes; None if none does.

    A sampler does not know who iterates over it, so the calls that are under way are searched for a method of a class that is
    known to do so (`SHARDING_CLASSES`).
    """
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_varnames[:1] != ("self",):
            continue
        owner = frame.f_locals.get("self")
        if shares_any_sampler(owner) and (processes := count_shares(owner)) > 1:
            return type(owner).__name__, processes
    return None


def shares_any_sampler(owner: Any) -> bool:
    """Whether `owner` is of a class that shares out the samples of whatever sampler it is given."""
    return any(parent.__name__ in SHARDING_CLASSES for parent in type(owner).__mro__)
