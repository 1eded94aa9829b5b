"""The training loop: one path for one training and for many."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.measures import macro_f1
from bench.models import find_model
from bench.record import Evaluation, Failure, Record
from bench.seeds import sub_seed
from bench.tasks.part import PAD
from bench.tasks.task import Task
from bench.train.clock import Clock
from bench.train.evaluation import Predictions, predict
from bench.train.feed import Feed
from bench.train.objective import Objective
from bench.train.stack import Snapshot, Stack
from bench.training import Training
from strategies import IGNORED


@dataclass
class Progress:
    """One training on its way: its validation curve and its best checkpoint so far."""

    curve: list[tuple[int, float]] = field(default_factory=list)
    best: Snapshot | None = None
    best_step: int = 0
    best_predictions: Predictions | None = None
    diverged_at: int | None = None


def train(
    trainings: Sequence[Training],
    *,
    device: torch.device,
    clock: Clock,
    advanced: Callable[[int], None] = lambda steps: None,
) -> list[Record | Failure]:
    """Trains a stack: trainings of one protocol whose models have one shape. Results do not depend on the neighbours.

    `advanced(steps)` is called after every validation with the steps done since the last call, summed over trainings.
    """
    protocol = trainings[0].protocol
    before = dict(clock.seconds)
    with clock("setup"):
        tasks = [each.task.load(sub_seed("split", each.task.label, each.seed)) for each in trainings]
        feeds = [Feed(*each) for each in zip(trainings, tasks, strict=True)]
        stack = new_stack(trainings, tasks, device)
        objective = Objective(
            [each.strategy for each in trainings], [task.train.labels.counts() for task in tasks], device
        )
        progress = [Progress() for _ in trainings]
    for step in range(1, protocol.steps + 1):
        train_step(stack, feeds, objective, clock)
        if step % protocol.validate_every == 0:
            with clock("evaluate"):
                validate(stack, tasks, progress, step)
            advanced(protocol.validate_every * len(trainings))
    with clock("evaluate"):
        evaluations = final_evaluations(stack, tasks, progress)
    return [_outcome(*each, device, clock) for each in zip(trainings, tasks, feeds, progress, evaluations, strict=True)]


def new_stack(trainings: Sequence[Training], tasks: Sequence[Task], device: torch.device) -> Stack:
    """Initial weights depend on the task and the seed, never on the strategy."""
    protocol = trainings[0].protocol
    seeds = [sub_seed("init", each.task.label, each.seed) for each in trainings]
    return Stack(find_model(protocol.model), tasks[0].shape, seeds, protocol, device)


def train_step(stack: Stack, feeds: Sequence[Feed], objective: Objective, clock: Clock) -> None:
    """One step of every training."""
    with clock("draw"):
        items = [feed.draw() for feed in feeds]
    with clock("gather"):
        batches = [feed.gather(each) for feed, each in zip(feeds, items, strict=True)]
        x = side_by_side([batch.x for batch in batches], PAD).to(stack.device)
        targets = side_by_side([batch.targets for batch in batches], IGNORED).to(stack.device)
    with clock("step"):
        stack.step(objective(stack.logits(x), targets.flatten(1)))


def side_by_side(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Batches of a stack, `(S, ...)`: sentences, time first, are filled up to the longest neighbour's length."""
    longest = max(len(each) for each in tensors)
    if all(len(each) == longest for each in tensors):
        return torch.stack(tuple(tensors))
    stacked = tensors[0].new_full((len(tensors), longest, *tensors[0].shape[1:]), fill)
    for row, each in zip(stacked, tensors, strict=True):
        row[: len(each)] = each
    return stacked


def validate(stack: Stack, tasks: Sequence[Task], progress: Sequence[Progress], step: int) -> None:
    """Keeps every training's checkpoint of best validation macro-F1, the first of equals."""
    predictions = predict(stack, [task.valid for task in tasks])
    for row, (task, each, predicted) in enumerate(zip(tasks, progress, predictions, strict=True)):
        if not math.isfinite(predicted.nll) and each.diverged_at is None:
            each.diverged_at = step
        score = macro_f1(predicted.confusion(task.valid))
        if each.best is None or score > max(value for _, value in each.curve):
            each.best, each.best_step, each.best_predictions = stack.snapshot(row), step, predicted
        each.curve.append((step, score))


def final_evaluations(stack: Stack, tasks: Sequence[Task], progress: Sequence[Progress]) -> list[list[Evaluation]]:
    """The chosen checkpoint on validation and test, and the last one on test."""
    parts = [task.test for task in tasks]
    last = predict(stack, parts)
    stack.restore([each.best for each in progress if each.best is not None])
    chosen = predict(stack, parts)
    return [
        [
            best.best_predictions.evaluation(task.valid, "chosen", "valid"),
            on_test.evaluation(task.test, "chosen", "test"),
            at_end.evaluation(task.test, "last", "test"),
        ]
        for task, best, on_test, at_end in zip(tasks, progress, chosen, last, strict=True)
        if best.best_predictions is not None
    ]


def _outcome(
    training: Training,
    task: Task,
    feed: Feed,
    progress: Progress,
    evaluations: list[Evaluation],
    device: torch.device,
    times: dict[str, float],
) -> Record | Failure:
    named = training.id, training.task.label, str(training.strategy), training.seed
    if progress.diverged_at is not None:
        reason = f"diverged: the validation loss was not finite at step {progress.diverged_at}"
        return Failure(*named, reason)
    return Record(
        *named,
        training.identity(),
        class_names=list(task.train.labels.class_names),
        evaluations=evaluations,
        curve=progress.curve,
        chosen_step=progress.best_step,
        converged=progress.best_step < training.protocol.steps,
        drawn=feed.drawn(),
        notes=feed.notes,
        provenance={"torch": torch.__version__, "device": device.type, "python": platform.python_version()},
        times={f"stack_{what}_seconds": seconds for what, seconds in times.items()},
    )
