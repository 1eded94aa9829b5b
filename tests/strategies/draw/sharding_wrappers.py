"""What accelerate, Lightning, catalyst and ignite put around a sampler, in as few lines: they share out any sampler's indices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import distributed
from torch.utils.data import BatchSampler, DataLoader, Dataset, DistributedSampler


class BatchSamplerShard(BatchSampler):
    """As accelerate's: of every `num_processes` batches, this process gets one."""

    def __init__(self, batch_sampler: Any, num_processes: int, process_index: int) -> None:
        self.batch_sampler, self.num_processes, self.process_index = batch_sampler, num_processes, process_index

    def __len__(self) -> int:
        return len(self.batch_sampler) // self.num_processes

    def __iter__(self) -> Iterator[Any]:
        for i, batch in enumerate(self.batch_sampler):
            if i % self.num_processes == self.process_index:
                yield batch


class _IndexDataset(Dataset):
    def __init__(self, sampler: Any) -> None:
        self._sampler = sampler
        self.reset()

    def reset(self) -> None:
        self.index: list[int] | None = None

    def __len__(self) -> int:
        return len(self._sampler)

    def __getitem__(self, i: int) -> int:
        if self.index is None:
            self.index = list(self._sampler)
        return self.index[i]


class DistributedSamplerWrapper(DistributedSampler):
    """As Lightning's and catalyst's: a list of the indices, shared out by PyTorch's DistributedSampler."""

    def __init__(self, sampler: Any, num_replicas: int, rank: int) -> None:
        super().__init__(_IndexDataset(sampler), num_replicas, rank)

    def __iter__(self) -> Iterator[int]:
        self.dataset.reset()
        return (self.dataset[i] for i in super().__iter__())


class DistributedProxySampler(DistributedSampler):
    """As ignite's: it slices a list of the indices."""

    def __init__(self, sampler: Any, num_replicas: int, rank: int) -> None:
        super().__init__(sampler, num_replicas, rank, shuffle=False)
        self.sampler = sampler

    def __iter__(self) -> Iterator[int]:
        index: list[int] = []
        while len(index) < self.total_size:
            index += list(self.sampler)
        return iter(index[self.rank : self.total_size : self.num_replicas])


def make_prepared(way: str, dataset: Any, sampler: Any, batch_size: int) -> DataLoader[Any]:
    """Return a loader as the library would prepare it in this process."""
    processes, rank = distributed.get_world_size(), distributed.get_rank()
    loader = DataLoader(dataset, sampler=sampler, batch_size=batch_size)
    if way == "BatchSamplerShard":
        return DataLoader(dataset, batch_sampler=BatchSamplerShard(loader.batch_sampler, processes, rank))
    wrapper = {
        "DistributedSamplerWrapper": DistributedSamplerWrapper,
        "DistributedProxySampler": DistributedProxySampler,
    }
    wrapped = wrapper[way](sampler, processes, rank)
    return DataLoader(dataset, sampler=wrapped, batch_size=batch_size)


WRAPPERS = ("BatchSamplerShard", "DistributedSamplerWrapper", "DistributedProxySampler")
