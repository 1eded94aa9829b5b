"""The place of this process among several that share one data set."""

from __future__ import annotations

from typing import NamedTuple

from torch import distributed

from strategies.draw.streams import whole_number


class ProcessPlace(NamedTuple):
    """The number of processes that share an epoch, and the number of this one, from 0; `rank` may be None where unknown."""

    num_replicas: int
    rank: int | None


def resolve_place(num_replicas: int | None, rank: int | None) -> ProcessPlace:
    """Return the number of processes and this one's rank: as given, or else as `torch.distributed` says.

    Parameters
    ----------
    num_replicas
        Number of processes, at least 1. None takes the world size of `torch.distributed` where a process group is
        initialised, and 1 elsewhere.
    rank
        Number of this process, from 0 to `num_replicas - 1`. None is 0 for a single process; for several it takes the rank
        in the process group where one is initialised, and elsewhere stays None: the caller decides what that means.

    Raises
    ------
    ValueError
        If `num_replicas` is not a whole number of at least 1, or `rank` not one from 0 to `num_replicas - 1`.

    Examples
    --------
    >>> resolve_place(4, 1)
    ProcessPlace(num_replicas=4, rank=1)
    >>> resolve_place(None, None)
    ProcessPlace(num_replicas=1, rank=0)
    """
    initialised = distributed.is_available() and distributed.is_initialized()
    if num_replicas is None:
        num_replicas = distributed.get_world_size() if initialised else 1
    num_replicas = whole_number("num_replicas", num_replicas)
    if rank is None and num_replicas == 1:
        rank = 0
    elif rank is None and initialised:
        rank = distributed.get_rank()
    elif rank is None:
        return ProcessPlace(num_replicas, None)
    rank = whole_number("rank", rank, minimum=0)
    if rank >= num_replicas:
        raise ValueError(
            f"rank must be a whole number from 0 to num_replicas - 1; given: rank={rank}, num_replicas={num_replicas}"
        )
    return ProcessPlace(num_replicas, rank)
