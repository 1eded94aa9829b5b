"""What is compared: loops by hand, naive and well-written, and stacks of this project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from numpy.random import default_rng
from torch.optim import Adam, SparseAdam

from bench.planning.run import Run
from bench.speed.training.batches import Batches, direct, from_grouping_loader, from_loader
from bench.speed.training.loop import Loop
from bench.speed.training.modules import MODULES, Build, UnpackedBiLSTM, made
from bench.speed.training.result import Kind
from bench.speed.training.tasks import protocol_of
from bench.tasks.task import TaskSpec
from bench.train.clock import Clock
from bench.train.step import StackRunner
from strategies import Strategy, get

MIXED = ("none", "loss-weights", "weighted-random-sampler", "logit-adjustment", "focal")
"""Strategies of one build; where items have many labels, `sentence-weights` takes the sampler's place."""

Step = Callable[[], object]
"""One step of every training."""


@dataclass(frozen=True)
class Variant:
    """A name, how many trainings a step moves, and what builds it for a task and a device."""

    name: str
    kind: Kind
    width: int
    build: Callable[[TaskSpec, torch.device], Step]


def variants(task: TaskSpec, widths: Sequence[int]) -> list[Variant]:
    """All that are compared on a task, in the order of the table."""
    return [
        *_by_hand(task),
        *(Variant(f"stack of {width}", "stack", width, partial(stack, width=width)) for width in widths),
        _mixed(seeds=4 if task.kind == "rows" else 1),
    ]


def _mixed(seeds: int) -> Variant:
    """As wide as the planner makes stacks of such a task, or nearly."""
    width, name = seeds * len(MIXED), f"stack of {len(MIXED)} strategies"
    return Variant(f"{name} x {seeds}" if seeds > 1 else name, "mixed", width, partial(mixed_stack, seeds=seeds))


def _by_hand(task: TaskSpec) -> Iterator[Variant]:
    yield Variant("naive", "naive", 1, naive)
    if protocol_of(task).length_group > 1:
        yield Variant("naive, length-grouped", "naive", 1, partial(naive, batches=from_grouping_loader))
    if task.kind == "rows":
        yield Variant("well-written", "well-written", 1, partial(well_written, sparse=False))
        return
    if task.kind == "sentences":
        yield Variant("well-written, packed", "well-written", 1, partial(well_written, sparse=True))
    build = UnpackedBiLSTM if task.kind == "sentences" else None
    for name, sparse in (("SparseAdam", True), ("dense Adam", False)):
        yield Variant(f"well-written, {name}", "well-written", 1, partial(well_written, sparse=sparse, build=build))


def naive(
    task: TaskSpec,
    device: torch.device,
    batches: Callable[..., Batches] = from_loader,
) -> Step:
    """DataLoader, module, cross-entropy, Adam as it comes."""
    data, protocol = task.load(default_rng(0)), protocol_of(task)
    module = made(MODULES[protocol.model], data.shape, protocol, sparse=False, device=device)
    optimiser = Adam(module.parameters(), lr=protocol.learning_rate)
    return Loop(module, [optimiser], batches(data.train, protocol, device))


def well_written(task: TaskSpec, device: torch.device, *, sparse: bool, build: Build | None = None) -> Step:
    """Batches straight from tensors, fused Adam, and SparseAdam for words if `sparse`."""
    data, protocol = task.load(default_rng(0)), protocol_of(task)
    module = made(build or MODULES[protocol.model], data.shape, protocol, sparse=sparse, device=device)
    words = [module.get_parameter("words.weight")] if sparse else []
    dense = [each for each in module.parameters() if all(each is not word for word in words)]
    optimisers = [
        Adam(dense, lr=protocol.learning_rate, fused=True),
        *([SparseAdam(words, lr=protocol.learning_rate)] if words else []),
    ]
    return Loop(module, optimisers, direct(data.train, protocol, device))


def stack(task: TaskSpec, device: torch.device, *, width: int) -> Step:
    """Plain trainings of so many seeds as one program of this project."""
    return _program(task, [get("none")] * width, device)


def mixed_stack(task: TaskSpec, device: torch.device, *, seeds: int = 1) -> Step:
    """Trainings of different strategies, so many seeds of each, as one program."""
    labels, inputs = task.load(default_rng(0)).train.labels, task.load(default_rng(0)).inputs
    chosen = [get(name) for name in MIXED for _ in range(seeds)]
    return _program(
        task, [get("sentence-weights") if each.declines(labels, inputs) else each for each in chosen], device
    )


def _program(task: TaskSpec, strategies: Sequence[Strategy], device: torch.device) -> Step:
    trainings = [
        Run(task, strategy, protocol_of(task), seed, fingerprint="made") for seed, strategy in enumerate(strategies)
    ]
    return partial(StackRunner(trainings, device).step, Clock())
