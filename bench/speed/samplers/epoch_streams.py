"""One interface for samplers of any kind: epochs of indices in large chunks, in batches, or through a DataLoader."""

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


class EpochSource(Protocol):
    """Epochs of indices."""

    @property
    def epoch_length(self) -> int:
        """The number of draws in an epoch."""

    def chunks(self) -> Iterator[Tensor | Sequence[int]]:
        """Iterate over one epoch, in the sampler's own form, in chunks so large that iterating costs next to nothing."""

    def batches(self) -> Iterator[Tensor]:
        """Iterate over one epoch in index tensors `(256,)`."""

    def loader(self, rows: Tensor) -> DataLoader[Any] | None:
        """Return a DataLoader of batches of 256 rows; None where the sampler cannot be used in one."""

    def resume(self) -> Tensor | None:
        """Return the first batch after resuming half-way into the second epoch; None where the sampler has no state."""


@dataclass(frozen=True)
class SamplerStream:
    """The stream of a sampler of this project, which yields index tensors."""

    sampler: IndexSampler

    @property
    def epoch_length(self) -> int:
        return len(self.sampler)

    def chunks(self) -> Iterator[Tensor]:
        return iter(self.sampler.batches(CHUNK))

    def batches(self) -> Iterator[Tensor]:
        return iter(self.sampler.batches(BATCH))

    def loader(self, rows: Tensor) -> DataLoader[Any]:
        return DataLoader(TensorDataset(rows), batch_size=None, sampler=self.sampler.batches(BATCH))

    def resume(self) -> Tensor:
        half_way = {"epoch": 1, "position": self.epoch_length // 2}
        self.sampler.load_state_dict({**self.sampler.state_dict(), **half_way})
        return next(self.batches())


@dataclass(frozen=True)
class IntegerStream:
    """The stream of a sampler that yields Python integers, as PyTorch's do."""

    sampler: Sampler[int]
    epoch_length: int

    def chunks(self) -> Iterator[list[int]]:
        return self._lists(CHUNK)

    def batches(self) -> Iterator[Tensor]:
        return map(torch.tensor, self._lists(BATCH))

    def loader(self, rows: Tensor) -> DataLoader[Any]:
        return DataLoader(TensorDataset(rows), batch_size=BATCH, sampler=self.sampler)

    def resume(self) -> None:
        return None

    def _lists(self, size: int) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        return iter(lambda: list(islice(indices, size)), [])


@dataclass(frozen=True)
class ChunkStream:
    """The stream of a function that samples an epoch in chunks of the size that it is given."""

    sample: Callable[[int], Iterator[Tensor]]
    epoch_length: int
    chunk_size: int = CHUNK
    batch_chunk_size: int = CHUNK
    """The size of the chunks that batches are cut from."""

    def chunks(self) -> Iterator[Tensor]:
        return self.sample(self.chunk_size)

    def batches(self) -> Iterator[Tensor]:
        return (batch for chunk in self.sample(self.batch_chunk_size) for batch in chunk.split(BATCH))

    def loader(self, rows: Tensor) -> None:
        return None

    def resume(self) -> None:
        return None
