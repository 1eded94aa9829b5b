"""`IndexSampler`: a resumable PyTorch sampler over an index stream, which several processes can share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, distributed
from torch.utils.data import Sampler

from strategies.draw.argument_names import ArgumentCheck, explain_argument
from strategies.draw.outer_shards import ShardedTwiceError, find_outer_sharding
from strategies.draw.process_rank import resolve_place
from strategies.draw.streams import CPU, IndexStream, whole_number

CHUNK = 65_536
"""Positions computed at a time: with fewer, each costs more; more of them fall out of the cache."""

Element = TypeVar("Element", int, Tensor)


class IndexSampler(ArgumentCheck, Sampler[int]):
    """The base of all samplers of this package: iterates over the epochs of an index stream.

    What epoch e holds depends on the seed of the stream and on e alone: not on the batch size, the number of workers, the
    device, or how many processes share the epoch.

    Parameters
    ----------
    stream
        Where the indices come from.
    num_replicas
        Number of processes that share an epoch. By default the world size of `torch.distributed` if a process group is
        initialised, else 1; and 1 where the code that iterates shares out the samples by itself (see `outer_shards`).
    rank
        Number of this process, from 0. By default its rank in `torch.distributed`; 0 where a single process samples.
    drop_last
        What happens if the length of an epoch is not a multiple of `num_replicas`. False (default): up to
        `num_replicas - 1` indices are added; True: the remainder of the epoch is left out. All ranks get equally many
        either way, as one with fewer would keep the others waiting.

    Raises
    ------
    ValueError
        If `num_replicas` or `rank` is no whole number in its range, or `rank` is missing where several processes share an
        epoch and `torch.distributed` is not initialised. When iterating: if `num_replicas` was given, and the code that
        iterates shares out the samples again.

    Notes
    -----
    **Epochs.** Each `iter(sampler)` begins the next epoch: loop over the sampler (or its `DataLoader`) once per epoch.
    `set_epoch` chooses an epoch; it need not be called.

    **Processes.** Of `num_replicas` processes, each takes every `num_replicas`-th position, from its `rank` on. Together
    they sample exactly what one process would. accelerate, the Trainer of transformers and Lightning share out the samples of
    any sampler by themselves; under them each process samples the whole epoch, of which they keep its share.

    **Changing.** What a sampler was built with can be read; assigning it raises an AttributeError, except for what a
    subclass can change from the next epoch on.

    **Resuming.** Store `sampler.state_dict()` with the model; after `load_state_dict`, the next `iter` continues with the
    very next index.
    """

    def __init__(
        self, stream: IndexStream, *, num_replicas: int | None = None, rank: int | None = None, drop_last: bool = False
    ) -> None:
        self._stream = stream
        place = resolve_place(num_replicas, rank)
        if place.rank is None:
            raise ValueError(
                f"rank is needed with num_replicas={place.num_replicas}, because torch.distributed is not initialised; "
                "give rank=0 to the first process, rank=1 to the second, and so on"
            )
        self._place = place.num_replicas, place.rank
        self._drop_last = drop_last
        self._is_place_given = num_replicas is not None
        self._active: _EpochIterator[Any] | None = None
        self._next_start = (0, 0)

    def __getattr__(self, name: str) -> Any:
        arguments = self.__dict__.get("_arguments", {})
        if name in arguments:
            return arguments[name]
        raise AttributeError(explain_argument(type(self).__name__, name, arguments))

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to set what could not take effect; a subclass defined elsewhere may have attributes of its own."""
        own = getattr(type(self), name, None)
        is_ours = type(self).__module__.partition(".")[0] == "strategies"
        is_fixed = isinstance(own, property) or (is_ours and name in self.parameters())
        if name.startswith("_") or (isinstance(own, property) and own.fset) or not (is_fixed or is_ours):
            super().__setattr__(name, value)
        elif is_fixed:
            raise AttributeError(
                f"{name} of a {type(self).__name__} is fixed when it is built, so that a change would have no effect; build a "
                "new sampler"
            )
        else:
            raise AttributeError(explain_argument(type(self).__name__, name, self._arguments))

    def __repr__(self) -> str:
        known = {"num_replicas": self.num_replicas, "rank": self.rank}
        arguments = {**self._arguments, **known} if "_arguments" in self.__dict__ else known
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        return f"{type(self).__name__}({self.stream.items} items, {shown})"

    @property
    def stream(self) -> IndexStream:
        """Where the indices come from."""
        return self._stream

    @property
    def num_replicas(self) -> int:
        """Number of processes that share an epoch."""
        return self._place[0]

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return self._place[1]

    @property
    def drop_last(self) -> bool:
        """Whether the remainder of an epoch that does not divide by `num_replicas` is left out."""
        return self._drop_last

    def __len__(self) -> int:
        """Return the number of indices of this rank in the current epoch, or in the next one if none is under way."""
        self._leave_to_outer_sharding()
        epoch, _ = self._next_position()
        return len(self.positions(epoch))

    def __iter__(self) -> Iterator[int]:
        """Begin the next epoch, or the one chosen by `set_epoch` or `load_state_dict`, and return its indices."""
        return _IndexIterator(self)

    def batches(self, batch_size: int, *, drop_last: bool = False, device: str | torch.device = "cpu") -> IndexBatches:
        """Return the same epochs as batches of indices, one tensor each: much faster than one int at a time.

        Parameters
        ----------
        batch_size
            Indices per batch, at least 1.
        drop_last
            Leave out the last batch of an epoch if it is smaller. Default False.
        device
            Where the indices are computed and returned: "cpu" (default) or "cuda". They are the same on both.

        Returns
        -------
        IndexBatches
            An iterable of int64 tensors `(batch_size,)`, one epoch per `iter`. Use it in a loop without a `DataLoader`, or as
            `DataLoader(data, batch_size=None, sampler=...)` if the data set can be indexed by a tensor, or as
            `DataLoader(data, batch_sampler=...)`, which indexes it by one zero-dimensional tensor at a time.

        Raises
        ------
        ValueError
            If `batch_size` is not a whole number of at least 1, or PyTorch cannot use the device.
        """
        return IndexBatches(self, whole_number("batch_size", batch_size), drop_last, _parse_device(device))

    def set_epoch(self, epoch: int) -> None:
        """Let the next `iter` begin this epoch, counted from 0.

        Without it, each `iter` begins the epoch after the last one. It is needed only if one rank iterates more often than
        the others, for instance to look at a batch.
        """
        self._next_start, self._active = (whole_number("epoch", epoch, minimum=0), 0), None

    def state_dict(self) -> dict[str, int]:
        """Return the current epoch and position, to be stored with a checkpoint.

        After `load_state_dict`, `iter` continues with the index that would have come next. A `DataLoader` with workers reads
        ahead of the batches it returns: store the state of torchdata's `StatefulDataLoader` instead, which counts the batches
        that were returned.

        Returns
        -------
        dict of str to int
            `epoch`; `position`, the number of indices that this rank has returned; and what the sampler was built as: `items`,
            `stream` (a hash of seed and weights) and `num_replicas`. It can be written as JSON.
        """
        epoch, position = self._next_position()
        return {"epoch": epoch, "position": position, **self._identity()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue where a sampler that was built in the same way stopped.

        Parameters
        ----------
        state
            What `state_dict` returned.

        Raises
        ------
        ValueError
            If `state` lacks an entry, or is of a sampler of another data set, seed, weights or number of processes.
        """
        missing = {"epoch", "position", *self._identity()} - set(state or ())
        if missing:
            raise ValueError(
                f"the state of a sampler has epoch, position and more; missing: {', '.join(sorted(missing))}; "
                "give what state_dict() returned"
            )
        for name, value in self._identity().items():
            if state[name] != value:
                raise ValueError(
                    f"the state is of a sampler with {name}={state[name]}, this one has {name}={value}; "
                    "build the sampler as it was built when the state was saved"
                )
        epoch = whole_number("epoch", state["epoch"], minimum=0)
        position = whole_number("position", state["position"], minimum=0)
        self._next_start, self._active = (epoch, position), None

    def _identity(self) -> dict[str, int]:
        """Return what must be the same for a state to fit."""
        stream = self._stream_under_way()
        return {"items": stream.items, "stream": stream.stream_key, "num_replicas": self.num_replicas}

    def positions(self, epoch: int) -> range:
        """Return the positions of an epoch that belong to this rank."""
        return self._positions(self._stream_under_way(), epoch)

    def _stream_under_way(self) -> IndexStream:
        """Return the stream of the epoch that has begun, or else that of the next one."""
        is_under_way = self._active is not None and not self._active.is_finished
        return self._active.stream if self._active is not None and is_under_way else self.stream

    def _positions(self, stream: IndexStream, epoch: int) -> range:
        length = stream.length(epoch)
        remainder = length % self.num_replicas
        if remainder:
            length += -remainder if self.drop_last else self.num_replicas - remainder
        return range(self.rank, length, self.num_replicas)

    @property
    def shares_by_default(self) -> bool:
        """Whether the number of processes was not given: then none are counted where the code that iterates shares out."""
        return not self._is_place_given

    def _leave_to_outer_sharding(self) -> None:
        """Sample whole epochs from now on if the code that iterates gives each process its share by itself."""
        outer = find_outer_sharding() if self.num_replicas > 1 else None
        if outer is None:
            return
        name, processes = outer
        if self.shares_by_default:
            self._place = 1, 0
            return
        initialised = distributed.is_available() and distributed.is_initialized()
        world_size = distributed.get_world_size() if initialised else max(processes, self.num_replicas)
        if processes * self.num_replicas > world_size:
            raise ShardedTwiceError(
                f"the samples are sharded twice: this sampler was given num_replicas={self.num_replicas}, and "
                f"{name} shares them out among {processes} processes again, so that an epoch is 1/{processes} of one; "
                "build the sampler without num_replicas and rank"
            )

    def _next_position(self) -> tuple[int, int]:
        """Return the epoch and position of the next index."""
        return self._next_start if self._active is None else self._active.next_position

    def _begin_epoch(self, iterator: _EpochIterator[Any]) -> tuple[int, int]:
        """Return where a new iterator begins; from now on `state_dict` describes its progress."""
        self._leave_to_outer_sharding()
        start, self._active = self._next_start, iterator
        self._next_start = (start[0] + 1, 0)
        return start


class IndexBatches:
    """The epochs of a sampler as batches of indices; returned by `IndexSampler.batches`.

    Each `iter` is one epoch, or the rest of one after `load_state_dict`. Epoch and state are those of the sampler.
    """

    def __init__(self, sampler: IndexSampler, batch_size: int, drop_last: bool, device: torch.device) -> None:
        self.sampler, self.batch_size, self.drop_last, self.device = sampler, batch_size, drop_last, device

    def __len__(self) -> int:
        """Return the number of batches of this rank in the current epoch, or in the next one if none is under way."""
        full, remainder = divmod(len(self.sampler), self.batch_size)
        return full + (remainder > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Tensor]:
        """Begin the next epoch and return its batches, int64 tensors `(batch_size,)`."""
        return _BatchIterator(self)

    def set_epoch(self, epoch: int) -> None:
        """Let the next `iter` begin this epoch; see `IndexSampler.set_epoch`."""
        self.sampler.set_epoch(epoch)

    def state_dict(self) -> dict[str, int]:
        """Return the state of the sampler; see `IndexSampler.state_dict`."""
        return self.sampler.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue where the sampler of `state` stopped; see `IndexSampler.load_state_dict`."""
        self.sampler.load_state_dict(state)


class _EpochIterator(Iterator[Element], Generic[Element]):
    """An iterator over one epoch. Chunks are computed ahead; `position` counts what was returned.

    The epoch begins with the first index, not with `iter`: a `DataLoader` with workers makes an iterator that it never uses.
    """

    def __init__(self, sampler: IndexSampler) -> None:
        self.sampler = sampler
        self._reset()

    def _reset(self) -> None:
        self._begun, self.is_finished = False, False
        self.stream = self.sampler.stream
        self._chunk: Iterator[Element] = iter(())

    @property
    def next_position(self) -> tuple[int, int]:
        """Epoch and position of the next index; after the last index, still the end of this epoch until the iterator stops."""
        return (self.epoch + 1, 0) if self.is_finished else (self.epoch, self.position)

    def state_dict(self) -> dict[str, int]:
        return self.sampler.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.sampler.load_state_dict(state)
        self._reset()

    def _next_chunk(self, size: int, device: torch.device = CPU) -> Tensor:
        """Return the next `size` indices of this rank, fewer at the end of the epoch; raise StopIteration after it."""
        if not self._begun:
            self.epoch, self.position = self.sampler._begin_epoch(self)
            self._begun, self._computed = True, self.position
            self.stream = self.sampler.stream
        chunk = self.sampler._positions(self.stream, self.epoch)[self._computed : self._computed + size]
        if not len(chunk):
            self.is_finished = True
            raise StopIteration
        self._computed += len(chunk)
        return self.stream.indices_at(self.epoch, chunk, device)


class _IndexIterator(_EpochIterator[int]):
    def __next__(self) -> int:
        try:
            item = next(self._chunk)
        except StopIteration:
            self._chunk = iter(self._next_chunk(CHUNK).tolist())
            item = next(self._chunk)
        self.position += 1
        return item


class _BatchIterator(_EpochIterator[Tensor]):
    def __init__(self, batches: IndexBatches) -> None:
        super().__init__(batches.sampler)
        self.batch_size, self.drop_last, self.device = batches.batch_size, batches.drop_last, batches.device

    def __next__(self) -> Tensor:
        try:
            batch = next(self._chunk)
        except StopIteration:
            whole_batches = self.batch_size * max(1, CHUNK // self.batch_size)
            self._chunk = iter(self._next_chunk(whole_batches, self.device).split(self.batch_size))
            batch = next(self._chunk)
        self.position += len(batch)
        if self.drop_last and len(batch) < self.batch_size:
            self.is_finished = True
            raise StopIteration
        return batch


def _parse_device(device: str | torch.device) -> torch.device:
    try:
        parsed = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"device must be a PyTorch device such as 'cpu' or 'cuda'; given: {device!r}") from None
    if parsed.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={str(device)!r}: PyTorch finds no CUDA device; use device='cpu'")
    return parsed
