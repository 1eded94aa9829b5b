"""The variants that are compared: loops by hand, naive and well-written, and stacks of this project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from numpy.random import default_rng
from torch.optim import Adam, SparseAdam

from bench.planning.run import Run
from bench.speed.training.step_timing import Step
from bench.speed.training.synthetic_tasks import FINGERPRINT, protocol_of
from bench.speed.training.textbook_batches import (
    Batches,
    indexed_batches,
    length_grouped_loader_batches,
    loader_batches,
)
from bench.speed.training.textbook_loop import TextbookLoop
from bench.speed.training.textbook_modules import MODULES, ModuleBuilder, UnpackedBiLSTM, build_module
from bench.speed.training.training_measurement import TrainerKind
from bench.tasks.task import TaskSpec
from bench.train.clock import Clock
from bench.train.step import StackRunner
from strategies import Strategy, get

MIXED_STRATEGIES = ("none", "loss-weights", "weighted-random-sampler", "logit-adjustment", "focal")
"""The strategies of a mixed stack; `sentence-weights` replaces those that are not applicable to items of many labels."""


@dataclass(frozen=True)
class TrainingVariant:
    """A name, how many runs a step trains, and what builds the step for a task and a device."""

    name: str
    kind: TrainerKind
    width: int
    build: Callable[[TaskSpec, torch.device], Step]


def list_variants(task: TaskSpec, widths: Sequence[int]) -> list[TrainingVariant]:
    """Return all variants that are compared on a task, in the order of the table."""
    return [
        *_loops_by_hand(task),
        *(TrainingVariant(f"stack of {width}", "stack", width, partial(build_stack, width=width)) for width in widths),
        _mixed_variant(seeds=4 if task.kind == "rows" else 1),
    ]


def _mixed_variant(seeds: int) -> TrainingVariant:
    """Return the variant of several strategies, about as wide as the planner makes stacks of such a task."""
    width, name = seeds * len(MIXED_STRATEGIES), f"stack of {len(MIXED_STRATEGIES)} strategies"
    if seeds > 1:
        name = f"{name} x {seeds}"
    return TrainingVariant(name, "mixed", width, partial(build_mixed_stack, seeds=seeds))


def _loops_by_hand(task: TaskSpec) -> Iterator[TrainingVariant]:
    yield TrainingVariant("naive", "naive", 1, build_naive_loop)
    if protocol_of(task).length_group > 1:
        length_grouped = partial(build_naive_loop, batches=length_grouped_loader_batches)
        yield TrainingVariant("naive, length-grouped", "naive", 1, length_grouped)
    if task.kind == "rows":
        yield TrainingVariant("well-written", "well-written", 1, partial(build_well_written_loop, sparse=False))
        return
    if task.kind == "sentences":
        packed = partial(build_well_written_loop, sparse=True)
        yield TrainingVariant("well-written, packed", "well-written", 1, packed)
    module = UnpackedBiLSTM if task.kind == "sentences" else None
    for name, sparse in (("SparseAdam", True), ("dense Adam", False)):
        build = partial(build_well_written_loop, sparse=sparse, module_builder=module)
        yield TrainingVariant(f"well-written, {name}", "well-written", 1, build)


def build_naive_loop(
    task: TaskSpec, device: torch.device, batches: Callable[..., Batches] = loader_batches
) -> TextbookLoop:
    """Build a loop with a DataLoader, a module, cross-entropy, and Adam in its default implementation."""
    data, protocol = task.load(default_rng(0)), protocol_of(task)
    module = build_module(MODULES[protocol.model], data.shape, protocol, sparse=False, device=device)
    optimiser = Adam(module.parameters(), lr=protocol.learning_rate)
    return TextbookLoop(module, [optimiser], batches(data.train, protocol, device))


def build_well_written_loop(
    task: TaskSpec, device: torch.device, *, sparse: bool, module_builder: ModuleBuilder | None = None
) -> TextbookLoop:
    """Build a loop with batches indexed from tensors and fused Adam; SparseAdam trains the word vectors if `sparse`."""
    data, protocol = task.load(default_rng(0)), protocol_of(task)
    builder = module_builder or MODULES[protocol.model]
    module = build_module(builder, data.shape, protocol, sparse=sparse, device=device)
    words = [module.get_parameter("words.weight")] if sparse else []
    dense = [parameter for parameter in module.parameters() if all(parameter is not word for word in words)]
    optimisers = [
        Adam(dense, lr=protocol.learning_rate, fused=True),
        *([SparseAdam(words, lr=protocol.learning_rate)] if words else []),
    ]
    return TextbookLoop(module, optimisers, indexed_batches(data.train, protocol, device))


def build_stack(task: TaskSpec, device: torch.device, *, width: int) -> Step:
    """Build the step of a stack of baseline runs, one per seed."""
    return _build_stack_step(task, [get("none")] * width, device)


def build_mixed_stack(task: TaskSpec, device: torch.device, *, seeds: int = 1) -> Step:
    """Build the step of a stack of runs of different strategies, `seeds` of each."""
    data = task.load(default_rng(0))
    strategies = [get(name) for name in MIXED_STRATEGIES for _ in range(seeds)]
    applicable = [
        get("sentence-weights") if strategy.why_not_applicable(data.train.labels, data.inputs) else strategy
        for strategy in strategies
    ]
    return _build_stack_step(task, applicable, device)


def _build_stack_step(task: TaskSpec, strategies: Sequence[Strategy], device: torch.device) -> Step:
    runs = [
        Run(task, strategy, protocol_of(task), seed, fingerprint=FINGERPRINT)
        for seed, strategy in enumerate(strategies)
    ]
    return partial(StackRunner(runs, device).step, Clock())
