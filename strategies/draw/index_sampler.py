"""One walk through the epochs of some draws: as a PyTorch sampler, as index tensors, in shards, from where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Sampler

from strategies.draw.streams import CPU, Draws, whole

CHUNK = 65_536
"""Positions drawn at a time: less costs more a draw, more falls out of the cache."""

Handed = TypeVar("Handed", int, Tensor)


class IndexSampler(Sampler[int]):
    """Hands out the epochs of `draws` one after another; what epoch e holds depends on the seed and e alone.

    Each `iter` begins the next epoch, or the one set by `set_epoch`. Of `num_replicas` processes, each takes every
    num_replicas-th position from its `rank` on: together they draw what one process would. Both default to
    `torch.distributed`'s where it is initialised. All ranks take equally many, lest one wait for the others for ever: where
    the epoch does not divide, a few draws are added, or with `drop_last` the rest is cut off.
    """

    def __init__(
        self, draws: Draws, *, num_replicas: int | None = None, rank: int | None = None, drop_last: bool = False
    ) -> None:
        self.draws = draws
        self.num_replicas, self.rank = _place(num_replicas, rank)
        self.drop_last = drop_last
        self._walk: _Walk[Any] | None = None
        self._next = (0, 0)

    def __len__(self) -> int:
        """Draws of this rank in the epoch under way, or the next one to begin."""
        return len(self.positions(self._now()[0]))

    def __iter__(self) -> Iterator[int]:
        return _Items(self)

    def batches(self, batch_size: int, *, drop_last: bool = False, device: str | torch.device = "cpu") -> Batches:
        """The same epochs as index tensors `(batch_size,)`, drawn on `device`; the indices are the same on all.

        For a loop of one's own, or a `DataLoader`'s `batch_sampler=`, or its `sampler=` with `batch_size=None`.
        """
        return Batches(self, whole("batch_size", batch_size), drop_last, _device(device))

    def set_epoch(self, epoch: int) -> None:
        """The next `iter` begins this epoch."""
        self._next, self._walk = (whole("epoch", epoch, least=0), 0), None

    def state_dict(self) -> dict[str, int]:
        """Where the sampler stands: after `load_state_dict`, `iter` goes on with the draw that would have come next.

        A `DataLoader` with workers asks for draws ahead of the batches it hands out: there, keep the state of torchdata's
        `StatefulDataLoader` instead.
        """
        epoch, position = self._now()
        return {"epoch": epoch, "position": position, **self._built_as()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on where `state` stood; a ValueError if it is of a sampler that was built in another way."""
        missing = {"epoch", "position", *self._built_as()} - set(state or ())
        if missing:
            raise ValueError(
                f"a state has epoch, position and more; missing: {', '.join(sorted(missing))}; give a state_dict()"
            )
        for what, here in self._built_as().items():
            if state[what] != here:
                raise ValueError(
                    f"the state is of a sampler with {what}={state[what]}, this one has {what}={here}; "
                    "build the sampler as it was built when the state was saved"
                )
        epoch, position = whole("epoch", state["epoch"], least=0), whole("position", state["position"], least=0)
        self._next, self._walk = (epoch, position), None

    def _built_as(self) -> dict[str, int]:
        return {"items": self.draws.items, "stream": self.draws.stream, "num_replicas": self.num_replicas}

    def positions(self, epoch: int) -> range:
        """The positions of an epoch that are this rank's."""
        length = self.draws.length(epoch)
        rest = length % self.num_replicas
        if rest:
            length += -rest if self.drop_last else self.num_replicas - rest
        return range(self.rank, length, self.num_replicas)

    def _now(self) -> tuple[int, int]:
        return self._next if self._walk is None else self._walk.stands_at

    def begin(self, walk: _Walk[Any]) -> tuple[int, int]:
        """Where a new walk begins; from then on it is the one that `state_dict` tells of."""
        begins, self._walk = self._next, walk
        self._next = (begins[0] + 1, 0)
        return begins


class Batches:
    """The epochs of a sampler as index tensors; each `iter` is one epoch, or the rest of one after `load_state_dict`."""

    def __init__(self, sampler: IndexSampler, batch_size: int, drop_last: bool, device: torch.device) -> None:
        self.sampler, self.batch_size, self.drop_last, self.device = sampler, batch_size, drop_last, device

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Tensor]:
        return _Tensors(self)

    def set_epoch(self, epoch: int) -> None:
        """The next `iter` begins this epoch."""
        self.sampler.set_epoch(epoch)

    def state_dict(self) -> dict[str, int]:
        """The sampler's state."""
        return self.sampler.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Goes on where `state` stood."""
        self.sampler.load_state_dict(state)


class _Walk(Iterator[Handed], Generic[Handed]):
    """One epoch on its way. Chunks are drawn ahead; `position` counts what was handed out.

    It begins with its first draw: a `DataLoader` with workers makes an iterator more than it uses.
    """

    def __init__(self, sampler: IndexSampler) -> None:
        self.sampler = sampler
        self._rewind()

    def _rewind(self) -> None:
        self._begun, self._over = False, False
        self._chunk: Iterator[Handed] = iter(())

    @property
    def stands_at(self) -> tuple[int, int]:
        """The epoch and position of what comes next; after the last draw that is still the end of this epoch."""
        return (self.epoch + 1, 0) if self._over else (self.epoch, self.position)

    def state_dict(self) -> dict[str, int]:
        return self.sampler.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.sampler.load_state_dict(state)
        self._rewind()

    def _draw(self, positions: int, device: torch.device = CPU) -> Tensor:
        """The next so many indices of this rank, fewer at the end of the epoch; StopIteration when there are none."""
        if not self._begun:
            self.epoch, self.position = self.sampler.begin(self)
            self._begun, self._drawn = True, self.position
        share = self.sampler.positions(self.epoch)[self._drawn : self._drawn + positions]
        if not len(share):
            self._over = True
            raise StopIteration
        self._drawn += len(share)
        return self.sampler.draws.take(self.epoch, share, device)


class _Items(_Walk[int]):
    def __next__(self) -> int:
        try:
            item = next(self._chunk)
        except StopIteration:
            self._chunk = iter(self._draw(CHUNK).tolist())
            item = next(self._chunk)
        self.position += 1
        return item


class _Tensors(_Walk[Tensor]):
    def __init__(self, batches: Batches) -> None:
        super().__init__(batches.sampler)
        self.batch_size, self.drop_last, self.device = batches.batch_size, batches.drop_last, batches.device

    def __next__(self) -> Tensor:
        try:
            batch = next(self._chunk)
        except StopIteration:
            self._chunk = iter(
                self._draw(self.batch_size * max(1, CHUNK // self.batch_size), self.device).split(self.batch_size)
            )
            batch = next(self._chunk)
        self.position += len(batch)
        if self.drop_last and len(batch) < self.batch_size:
            self._over = True
            raise StopIteration
        return batch


def _place(num_replicas: int | None, rank: int | None) -> tuple[int, int]:
    from torch import distributed

    together = distributed.is_available() and distributed.is_initialized()
    if num_replicas is None:
        num_replicas = distributed.get_world_size() if together else 1
    if rank is None:
        rank = distributed.get_rank() if together else 0
    num_replicas, rank = whole("num_replicas", num_replicas), whole("rank", rank, least=0)
    if rank >= num_replicas:
        raise ValueError(f"rank must be from 0 to num_replicas - 1; given: rank={rank}, num_replicas={num_replicas}")
    return num_replicas, rank


def _device(given: str | torch.device) -> torch.device:
    try:
        device = torch.device(given)
    except (RuntimeError, TypeError):
        raise ValueError(f"device must be 'cpu', 'cuda' or the like; given: {given!r}") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={str(given)!r}: this torch sees no CUDA device; use device='cpu'")
    return device
