"""How index streams of any kind are walked: epochs in large chunks, in batches, through a DataLoader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler, TensorDataset

from strategies.draw.index_sampler import CHUNK, IndexSampler

BATCH = 256


class Stream(Protocol):
    """Something that hands out epochs of indices."""

    @property
    def epoch(self) -> int:
        """Draws of an epoch."""

    def chunks(self) -> Iterator[Tensor | Sequence[int]]:
        """One epoch as it is handed out, in pieces large enough that taking them costs nothing."""

    def batches(self) -> Iterator[Tensor]:
        """One epoch as index tensors `(256,)`."""

    def loader(self, rows: Tensor) -> DataLoader[Any] | None:
        """A DataLoader of batches of 256 rows, None where the stream has no place in one."""

    def resume(self) -> Tensor | None:
        """The first batch from half-way into the second epoch on, None where the stream cannot go on from a state."""


@dataclass(frozen=True)
class IndexTensors:
    """A sampler of this project."""

    sampler: IndexSampler

    @property
    def epoch(self) -> int:
        return len(self.sampler)

    def chunks(self) -> Iterator[Tensor]:
        return iter(self.sampler.batches(CHUNK))

    def batches(self) -> Iterator[Tensor]:
        return iter(self.sampler.batches(BATCH))

    def loader(self, rows: Tensor) -> DataLoader[Any]:
        return DataLoader(TensorDataset(rows), batch_size=None, sampler=self.sampler.batches(BATCH))

    def resume(self) -> Tensor:
        half = {"epoch": 1, "position": self.epoch // 2}
        self.sampler.load_state_dict({**self.sampler.state_dict(), **half})
        return next(self.batches())


@dataclass(frozen=True)
class Integers:
    """A sampler that hands out Python integers, as PyTorch's do."""

    sampler: Sampler[int]
    epoch: int

    def chunks(self) -> Iterator[list[int]]:
        drawn = iter(self.sampler)
        return iter(lambda: list(islice(drawn, CHUNK)), [])

    def batches(self) -> Iterator[Tensor]:
        drawn = iter(self.sampler)
        return map(torch.tensor, iter(lambda: list(islice(drawn, BATCH)), []))

    def loader(self, rows: Tensor) -> DataLoader[Any]:
        return DataLoader(TensorDataset(rows), batch_size=BATCH, sampler=self.sampler)

    def resume(self) -> None:
        return None


@dataclass(frozen=True)
class Pieces:
    """An epoch drawn by a function in pieces of the size it is asked for: `size`, or `cut` that batches are cut from."""

    draw: Callable[[int], Iterator[Tensor]]
    epoch: int
    size: int = CHUNK
    cut: int = CHUNK

    def chunks(self) -> Iterator[Tensor]:
        return self.draw(self.size)

    def batches(self) -> Iterator[Tensor]:
        return (batch for piece in self.draw(self.cut) for batch in piece.split(BATCH))

    def loader(self, rows: Tensor) -> None:
        return None

    def resume(self) -> None:
        return None
