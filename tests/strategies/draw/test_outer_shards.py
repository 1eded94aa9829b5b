"""Under libraries that share out the samples of any sampler by themselves, an epoch is one epoch, in the intended class mix."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from sharding_wrappers import WRAPPERS, BatchSamplerShard, DistributedSamplerWrapper, make_prepared
from torch import distributed
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

import strategies
from strategies import ClassBalancedSampler

LABELS = torch.tensor([0] * 90 + [1] * 24 + [2] * 6)
DATA = TensorDataset(torch.arange(120), LABELS)


@pytest.fixture
def in_process(monkeypatch):
    """Return a function that makes this one process number `rank` of `processes`."""

    def enter(rank: int, processes: int) -> None:
        monkeypatch.setattr(distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(distributed, "get_world_size", lambda *_: processes)
        monkeypatch.setattr(distributed, "get_rank", lambda *_: rank)

    return enter


def whole_epochs(epochs: int = 2) -> list[list[int]]:
    sampler = ClassBalancedSampler(LABELS, seed=0, num_replicas=1, rank=0)
    return [list(sampler) for _ in range(epochs)]


SAMPLERS: dict[str, Any] = {
    "balanced": lambda: ClassBalancedSampler(LABELS, seed=0),
    "weighted": lambda: strategies.WeightedSampler((1.0 / LABELS.bincount())[LABELS], seed=0),
    "systematic": lambda: strategies.WeightedSampler((1.0 / LABELS.bincount())[LABELS], seed=0, method="systematic"),
    "progressive": lambda: ClassBalancedSampler(LABELS, progressive=200, seed=0),
    "without replacement": lambda: ClassBalancedSampler(LABELS, replacement=False, num_samples=60, seed=0),
    "sentences": lambda: strategies.SentenceSampler(LABELS.view(60, 2), seed=0),
}


@pytest.mark.parametrize("way", WRAPPERS)
@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_processes_together_read_one_epoch(in_process, way, processes, name):
    in_process(0, 1)
    single = SAMPLERS[name]()
    expected = [list(single) for _ in range(2)]
    read: list[list[int]] = [[], []]
    for rank in range(processes):
        in_process(rank, processes)
        loader = make_prepared(way, range(120), SAMPLERS[name](), 5)
        assert len(loader) == len(expected[0]) // processes // 5  # as a learning-rate schedule asks before training
        for epoch in range(2):
            read[epoch] += [int(i) for batch in loader for i in batch]
    for epoch in range(2):
        assert Counter(read[epoch]) == Counter(expected[epoch])


@pytest.mark.parametrize("wrap", [BatchSamplerShard, DistributedSamplerWrapper])
def test_batches_of_tensors_are_shared_once_too(in_process, wrap):
    read: list[int] = []
    for rank in range(2):
        in_process(rank, 2)
        shard = wrap(ClassBalancedSampler(LABELS, seed=0).batches(10), 2, rank)
        assert len(shard) == 6
        read += torch.cat(list(shard)).tolist()
    assert Counter(read) == Counter(whole_epochs(1)[0])


@pytest.mark.parametrize("way", WRAPPERS)
def test_a_place_that_was_given_is_refused_where_the_samples_are_shared_out_again(in_process, way):
    in_process(0, 2)
    with pytest.raises(
        ValueError, match=rf"sharded twice: .*num_replicas=2, and {way} .*without num_replicas and rank"
    ):
        list(make_prepared(way, DATA, ClassBalancedSampler(LABELS, num_replicas=2, rank=0), 10))


@pytest.mark.parametrize("way", WRAPPERS)
def test_a_single_process_that_was_given_is_obeyed(in_process, way):
    read: list[int] = []
    for rank in range(2):
        in_process(rank, 2)
        loader = make_prepared(way, range(120), ClassBalancedSampler(LABELS, num_replicas=1, rank=0, seed=0), 10)
        read += [int(i) for batch in loader for i in batch]
    assert Counter(read) == Counter(whole_epochs(1)[0])


def test_shares_of_nodes_that_are_shared_out_within_each_node_are_no_mistake(in_process):
    """Two nodes of two processes each: the sampler is given the node, the wrapper its process."""
    in_process(0, 4)
    read: list[int] = []
    for node in range(2):
        sampler = ClassBalancedSampler(LABELS, num_replicas=2, rank=node, seed=0)
        for local_rank in range(2):
            sampler.set_epoch(0)
            shard = BatchSamplerShard(BatchSampler(sampler, 5, drop_last=False), 2, local_rank)
            read += [i for batch in shard for i in batch]
    assert Counter(read) == Counter(whole_epochs(1)[0])


def test_plain_loops_and_loaders_share_the_epoch_as_before(in_process):
    read: list[int] = []
    for rank in range(2):
        in_process(rank, 2)
        sampler = ClassBalancedSampler(LABELS, seed=0)
        assert len(sampler) == 60
        read += [int(i) for batch in DataLoader(range(120), sampler=sampler, batch_size=7) for i in batch]
        assert (sampler.num_replicas, sampler.rank) == (2, rank)
    assert Counter(read) == Counter(whole_epochs(1)[0])


# Real processes

SCRIPT = Path(__file__).with_name("two_processes.py")
WAYS = {
    "simulated wrappers": "torch",
    "accelerate": "accelerate",
    "accelerate, split batches": "accelerate",
    "accelerate, dispatched batches": "accelerate",
    "fabric": "lightning",
    "lightning": "lightning",
    "lightning, use_distributed_sampler=False": "lightning",
    "transformers": "transformers",
}
"""The package that each way needs; transformers' Trainer needs accelerate too."""
COMMON = ("simulated wrappers", "accelerate", "lightning", "transformers")
"""The ways that are tried each time; the others are slow tests, as each takes ten seconds."""


@pytest.mark.parametrize("way", [way if way in COMMON else pytest.param(way, marks=pytest.mark.slow) for way in WAYS])
def test_two_processes_read_one_epoch_of_the_intended_mix(tmp_path, way):
    for package in {WAYS[way], "accelerate" if way == "transformers" else WAYS[way]}:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    ranks = []
    for rank in ("0", "1"):
        place = {"RANK": rank, "LOCAL_RANK": rank, "NODE_RANK": "0", "WORLD_SIZE": "2"}
        meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true"}
        environment = {**os.environ, **place, **meet, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-W", "ignore", str(SCRIPT), way, rank, str(tmp_path)]
        ranks.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
    outputs = [process.communicate(timeout=300)[0] for process in ranks]
    results = [json.loads(output.splitlines()[-1]) for output in outputs]
    assert len(results[0]) == len(results[1]) > 0
    for one, other in zip(*results, strict=True):
        assert one["findings"] == other["findings"] == []
        assert one["length"] == other["length"] == (12 if way == "accelerate, split batches" else 6)
        for ours, theirs, expected in zip(one["epochs"], other["epochs"], whole_epochs(), strict=True):
            assert len(ours) == len(theirs) == 60
            assert Counter(ours + theirs) == Counter(expected)
