"""Who shares out the samples among processes: the right set-ups of the usual libraries pass, sharding twice is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import distributed
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    Sampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)

import strategies
from strategies import ClassBalancedSampler
from strategies.loader_audit.audit import Audit, audit

sys.path.insert(0, str(Path(__file__).parents[1] / "draw"))
from sharding_wrappers import WRAPPERS, BatchSamplerShard, make_prepared

LABELS = torch.tensor([0] * 700 + [1] * 240 + [2] * 60)[
    torch.randperm(1000, generator=torch.Generator().manual_seed(0))
]
DATA = TensorDataset(torch.zeros(1000, 2), LABELS)


@pytest.fixture(autouse=True)
def two_processes(monkeypatch):
    """Rank 1 of 2."""
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda *_: 2)
    monkeypatch.setattr(distributed, "get_rank", lambda *_: 1)


def names(result: Audit) -> list[str]:
    return [finding.name for finding in result.findings]


def fixed_sampler(result: Audit) -> Any:
    scope: dict[str, Any] = {"strategies": strategies, "labels": LABELS}
    exec(result.findings[0].fix, scope)
    return scope["sampler"]


@pytest.mark.parametrize("way", WRAPPERS)
@pytest.mark.parametrize("read_before", [False, True])
def test_the_right_loader_of_each_library_passes(way, read_before):
    loader = make_prepared(way, DATA, ClassBalancedSampler(LABELS, seed=0), 10)
    if read_before:
        assert len(list(loader)) == 50
    result = audit(loader, LABELS)
    assert result.ok, str(result)
    assert result.statistics.samples >= 500
    assert sum(len(y) for _, y in loader) == 500  # the audit has not changed whose turn it is


@pytest.mark.parametrize("way", WRAPPERS)
def test_a_weighted_sampler_that_a_library_shares_out_passes(way):
    weights = (1.0 / LABELS.bincount())[LABELS]
    sampler = WeightedRandomSampler(weights, 1000, generator=torch.Generator().manual_seed(0))
    assert audit(make_prepared(way, DATA, sampler, 10), LABELS).ok
    assert names(audit(DataLoader(DATA, sampler=sampler), LABELS)) == ["sampler-repeated"]


@pytest.mark.parametrize("way", WRAPPERS)
def test_a_sampler_that_was_given_its_place_is_sharded_twice(way):
    sampler = ClassBalancedSampler(LABELS, num_replicas=2, rank=1, seed=0)
    result = audit(make_prepared_unread(way, sampler), LABELS)
    assert names(result) == ["sharded-twice"]
    message = result.findings[0].message
    assert f"{way} among 2 processes and again by ClassBalancedSampler among 2" in message
    assert "read 1/2 of an epoch" in message
    assert audit(make_prepared(way, DATA, fixed_sampler(result), 10), LABELS).ok


def make_prepared_unread(way: str, sampler: ClassBalancedSampler) -> DataLoader[Any]:
    """Wrap a sampler that may refuse to say its length within the wrapper, as after a change of the wrapper's class."""
    loader = make_prepared(way, DATA, ClassBalancedSampler(LABELS, seed=0), 10)
    inner = loader.sampler if way != "BatchSamplerShard" else loader.batch_sampler.batch_sampler
    if way == "BatchSamplerShard":
        inner.sampler = sampler
    elif way == "DistributedSamplerWrapper":
        inner.dataset._sampler = sampler
    else:
        inner.sampler = inner.dataset = sampler
    return loader


def test_a_distributed_sampler_that_is_shared_out_again_is_named():
    inner = DistributedSampler(DATA, num_replicas=2, rank=1)
    shard = BatchSamplerShard(BatchSampler(inner, 10, drop_last=False), 2, 1)
    result = audit(DataLoader(DATA, batch_sampler=shard), LABELS)
    assert names(result) == ["sharded-twice"]
    fixed = BatchSamplerShard(BatchSampler(fixed_sampler(result), 10, drop_last=False), 2, 1)
    assert audit(DataLoader(DATA, batch_sampler=fixed), LABELS).ok


class OwnWrapper(DistributedSampler):
    """A wrapper of a name that nobody knows."""

    def __init__(self, sampler: Any) -> None:
        super().__init__(sampler, 2, 1, shuffle=False)
        self.sampler = sampler

    def __iter__(self) -> Iterator[int]:
        return iter(list(self.sampler)[self.rank :: self.num_replicas])


def test_a_wrapper_that_a_sampler_does_not_know_shards_twice_until_the_sampler_is_given_one_process():
    result = audit(DataLoader(DATA, sampler=OwnWrapper(ClassBalancedSampler(LABELS, seed=0))), LABELS)
    assert names(result) == ["sharded-twice"]
    assert "num_replicas=1, rank=0" in result.findings[0].fix
    assert audit(DataLoader(DATA, sampler=OwnWrapper(fixed_sampler(result))), LABELS).ok


def test_indices_that_were_sampled_for_one_process_and_are_shared_out_again():
    part = Subset(DATA, list(ClassBalancedSampler(LABELS, seed=0)))
    result = audit(DataLoader(part, sampler=DistributedSampler(part, 2, 1)), LABELS, intended="balanced")
    assert "sharded-twice" in names(result)
    whole = Subset(DATA, list(fixed_sampler(result)))
    loader = DataLoader(whole, sampler=DistributedSampler(whole, 2, 1))
    assert "sharded-twice" not in names(audit(loader, LABELS))


class DataLoaderDispatcher(DataLoader[Any]):
    """As accelerate's: only one process reads, and each gets a part of every batch."""

    state = SimpleNamespace(num_processes=2, process_index=1)


def test_batches_that_one_process_dispatches_are_shared_once():
    assert audit(DataLoaderDispatcher(DATA, sampler=ClassBalancedSampler(LABELS, seed=0), batch_size=10), LABELS).ok
    twice = ClassBalancedSampler(LABELS, num_replicas=2, rank=1, seed=0)
    assert names(audit(DataLoaderDispatcher(DATA, sampler=twice, batch_size=10), LABELS)) == ["sharded-twice"]


def test_shares_of_nodes_within_which_a_library_shares_out_pass(monkeypatch):
    monkeypatch.setattr(distributed, "get_world_size", lambda *_: 4)
    sampler = ClassBalancedSampler(LABELS, num_replicas=2, rank=0, seed=0)
    shard = BatchSamplerShard(BatchSampler(sampler, 10, drop_last=False), 2, 1)
    assert audit(DataLoader(DATA, batch_sampler=shard), LABELS).ok


@pytest.mark.parametrize("attributes", [("num_replicas", "rank"), ("world_size", "rank"), ("_world_size", "_rank")])
def test_a_sampler_of_others_that_shares_by_itself_passes_and_is_sharded_twice_under_a_library(attributes):
    class DistributedWeightedSampler(Sampler[int]):
        def __init__(self) -> None:
            vars(self).update(zip(attributes, (2, 1), strict=True))
            self.whole = ClassBalancedSampler(LABELS, seed=0, num_replicas=1, rank=0)

        def __len__(self) -> int:
            return 500

        def __iter__(self) -> Iterator[int]:
            return iter(list(self.whole)[1::2])

    assert audit(DataLoader(DATA, sampler=DistributedWeightedSampler()), LABELS).ok
    result = audit(make_prepared("BatchSamplerShard", DATA, DistributedWeightedSampler(), 10), LABELS)
    assert names(result) == ["sharded-twice"]


def test_the_share_of_another_process_is_no_share():
    shard = BatchSamplerShard(BatchSampler(ClassBalancedSampler(LABELS, seed=0), 10, drop_last=False), 2, 0)
    assert names(audit(DataLoader(DATA, batch_sampler=shard), LABELS)) == ["sampler-repeated"]


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[Any]:
        yield from ((torch.zeros(2), int(label)) for label in LABELS)


class IterableDatasetShard(IterableDataset):
    """As accelerate's and transformers': of every two batches of a stream, this process gets one."""

    num_processes, process_index = 2, 1

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __len__(self) -> int:
        return len(self.stream) // 2  # which raises a TypeError if the stream has no length

    def __iter__(self) -> Iterator[Any]:
        yield from (item for i, item in enumerate(self.stream) if i // 10 % 2)


class SampledStream(IterableDataset):
    def __init__(self) -> None:
        self.sampler = ClassBalancedSampler(LABELS, seed=0)

    def __iter__(self) -> Iterator[Any]:
        yield from (DATA[i] for i in self.sampler)


class SizedStream(SampledStream):
    def __len__(self) -> int:
        return 1000


@pytest.mark.parametrize("stream", [SampledStream, SizedStream])
def test_a_stream_that_samples_is_shared_once(stream):
    loader = DataLoader(IterableDatasetShard(stream()), batch_size=10)
    assert sum(len(y) for _, y in loader) == 500
    assert audit(loader, LABELS).ok


def test_for_a_stream_the_fix_is_what_pytorch_accepts():
    result = audit(DataLoader(Stream(), batch_size=10), LABELS)
    assert names(result) == ["not-resampled"]
    *code, expression, alternative = result.findings[0].fix.splitlines()
    scope: dict[str, Any] = {"strategies": strategies, "torch": torch, "DataLoader": DataLoader, "dataset": Stream()}
    exec("\n".join(code), scope)
    loader = eval(expression, scope)
    assert audit(loader, scope["labels"]).ok
    loss = eval(alternative.split("correct in the loss: ")[1], scope)
    assert audit(DataLoader(Stream(), batch_size=10), LABELS, loss=loss).ok
    assert names(audit(DataLoader(Stream()), LABELS, intended="square-root")) == ["not-resampled"]
