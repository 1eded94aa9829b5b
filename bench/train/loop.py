"""The training loop: one path for one training and for many."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from bench.metrics.classification import macro_f1
from bench.planning.run import Run
from bench.records.predictions import PredictedClasses
from bench.records.record import RAW, Evaluation, Failure, Record
from bench.tasks.leakage import refuse_changed, refuse_held_out_rows
from bench.tasks.task import Task
from bench.train.clock import Clock
from bench.train.evaluation import Final, final, finished_logits, scores
from bench.train.run_sampler import RunSampler
from bench.train.stack import Snapshot
from bench.train.step import StackRunner

DIVERGED = 1e4
"""Mean negative log-likelihood a label, in nats, from which a training is said to have diverged."""


@dataclass
class RunProgress:
    """One training on its way: its validation curve and its best checkpoint so far."""

    curve: list[tuple[int, float]] = field(default_factory=list)
    best: Snapshot | None = None
    best_step: int = 0
    best_score: float = 0.0
    diverged_at: int | None = None


def train(
    runs: Sequence[Run],
    *,
    device: torch.device,
    clock: Clock,
    advanced: Callable[[int], None] = lambda steps: None,
    keep: Callable[[str, PredictedClasses], None] = lambda id, predicted: None,
) -> list[Record | Failure]:
    """Trains a stack: trainings of one protocol whose models have one shape. Results do not depend on the neighbours.

    `advanced(steps)` is called after every validation with the steps done since the last call, summed over trainings;
    `keep(id, predicted)` at the end with what each training that did not fail predicts on test.
    """
    protocol = runs[0].protocol
    before = dict(clock.seconds)
    with clock("setup"):
        program = StackRunner(runs, device)
        for task, feed in zip(program.tasks, program.feeds.each, strict=True):
            refuse_held_out_rows(feed.pool, task)
        progress = [RunProgress() for _ in runs]
    for step in range(1, protocol.steps + 1):
        program.step(clock)
        if step % protocol.validate_every == 0:
            with clock("evaluate"):
                validate(program, progress, step)
            advanced(protocol.validate_every * len(runs))
    with clock("evaluate"):
        finals = final_evaluations(program, progress)
        refuse_changed(program.tasks)
    times = {what: seconds - before.get(what, 0.0) for what, seconds in clock.seconds.items()}
    outcomes = [
        _outcome(training, task, feed, reached, each.evaluations, device, times)
        for training, task, feed, reached, each in zip(
            runs, program.tasks, program.feeds.each, progress, finals, strict=True
        )
    ]
    for outcome, each in zip(outcomes, finals, strict=True):
        if isinstance(outcome, Record):
            keep(outcome.id, each.predicted)
    return outcomes


def validate(program: StackRunner, progress: Sequence[RunProgress], step: int) -> None:
    """Keeps every training's checkpoint of best validation macro-F1 in its last phase, the first of equals."""
    found = scores(program.stack, [task.valid for task in program.tasks])
    for row, (each, (confusion, nll)) in enumerate(zip(progress, found, strict=True)):
        if not nll < DIVERGED and each.diverged_at is None:
            each.diverged_at = step
            program.freeze(row)
        score = macro_f1(confusion)
        each.curve.append((step, score))
        if program.in_last_phase(row) and (each.best is None or score > each.best_score):
            each.best, each.best_step, each.best_score = program.stack.snapshot(row), step, score


def final_evaluations(program: StackRunner, progress: Sequence[RunProgress]) -> list[Final]:
    """What is kept of the chosen and of the last checkpoint of each training."""
    tasks = program.tasks
    last = finished_logits(program.stack, [task.test for task in tasks]).cpu()
    program.stack.restore([each.best for each in progress])
    on_valid = finished_logits(program.stack, [task.valid for task in tasks]).cpu()
    on_test = finished_logits(program.stack, [task.test for task in tasks]).cpu()
    return [
        final(training, task, program.stack.head(row), valid, test, at_end)
        for row, (training, task, valid, test, at_end) in enumerate(
            zip(program.runs, tasks, on_valid, on_test, last, strict=True)
        )
    ]


def _outcome(
    training: Run,
    task: Task,
    feed: RunSampler,
    progress: RunProgress,
    evaluations: list[Evaluation],
    device: torch.device,
    times: dict[str, float],
) -> Record | Failure:
    named = training.id, training.task.label, str(training.strategy), training.seed
    diverged = f"diverged at a learning rate of {training.protocol.learning_rate:g}"
    if progress.diverged_at is not None:
        reason = f"the validation loss was not finite, or above {DIVERGED:,.0f}, at step {progress.diverged_at}"
        return Failure(*named, f"{diverged}: {reason}")
    if not all(each.nll < DIVERGED for each in evaluations if each.adjustment == RAW):
        return Failure(*named, f"{diverged}: the test loss is not finite, or above {DIVERGED:,.0f}")
    return Record(
        *named,
        training.identity(),
        class_names=list(task.train.labels.class_names),
        evaluations=evaluations,
        curve=progress.curve,
        chosen_step=progress.best_step,
        converged=progress.best_step < training.protocol.steps,
        sampling=feed.drawn(),
        notes=feed.notes,
        provenance=_provenance(training, device),
        times={f"stack_{what}_seconds": round(seconds, 3) for what, seconds in times.items()},
    )


def _provenance(training: Run, device: torch.device) -> dict[str, str]:
    where = {"torch": torch.__version__, "device": device.type, "python": platform.python_version()}
    if device.type == "cuda":
        where["float32"] = "full precision" if torch.get_float32_matmul_precision() == "highest" else "TF32 products"
    return where | ({"model": training.protocol.adapted} if training.protocol.adapted else {})
