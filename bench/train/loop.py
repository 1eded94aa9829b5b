"""The training loop: one path for a single run and for a stack of many."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from bench.planning.run import Run
from bench.records.predictions import PredictedClasses
from bench.records.record import RAW, Evaluation, Failure, Record
from bench.tasks.leakage import refuse_changed, refuse_held_out_rows
from bench.tasks.task import Task
from bench.train.clock import Clock
from bench.train.evaluation import FinalEvaluation, compute_logits, evaluate_parts, evaluate_run
from bench.train.run_sampler import RunSampler
from bench.train.stack import Snapshot
from bench.train.step import StackRunner

DIVERGED = 1e4
"""Mean negative log-likelihood per label, in nats, from which a run counts as diverged."""


@dataclass
class RunProgress:
    """The validation curve of a run and its best checkpoint so far."""

    curve: list[tuple[int, float]] = field(default_factory=list)
    best: Snapshot | None = None
    best_step: int = 0
    """The last step with the best score."""
    best_since: int = 0
    """The first step with the best score."""
    best_score: float = 0.0
    diverged_at: int | None = None


def train(
    runs: Sequence[Run],
    *,
    device: torch.device,
    clock: Clock,
    on_steps: Callable[[int], None] = lambda steps: None,
    on_predictions: Callable[[str, PredictedClasses], None] = lambda id, predictions: None,
) -> list[Record | Failure]:
    """Train a stack and return a record or a failure per run.

    The runs share a protocol (but for learning rate and weight decay), a model variant and a shape of model. The result of a
    run does not depend on its neighbours.

    `on_steps(steps)` is called after every validation with the steps taken since the last call, summed over the runs;
    `on_predictions(id, predictions)` at the end for each run that did not fail, with its predictions on test.
    """
    # Set up: data, models, losses.
    protocol = runs[0].protocol
    seconds_before = dict(clock.seconds)
    with clock("setup"):
        runner = StackRunner(runs, device)
        for task, sampler in zip(runner.tasks, runner.loader.samplers, strict=True):
            refuse_held_out_rows(sampler.pool, task)
        progress = [RunProgress() for _ in runner.runs]

    # Train, and validate at regular steps: the best checkpoint by the run's metric is kept.
    for step in range(1, protocol.steps + 1):
        runner.step(clock)
        if step % protocol.validate_every == 0:
            with clock("evaluate"):
                validate(runner, progress, step)
            on_steps(protocol.validate_every * len(runs))

    # Evaluate the chosen and the last checkpoint of each run.
    with clock("evaluate"):
        finals = evaluate_checkpoints(runner, progress)
        refuse_changed(runner.tasks)

    # Make the records.
    times = {what: seconds - seconds_before.get(what, 0.0) for what, seconds in clock.seconds.items()}
    outcomes = [
        _make_outcome(run, task, sampler, run_progress, final.evaluations, device, times)
        for run, task, sampler, run_progress, final in zip(
            runner.runs, runner.tasks, runner.loader.samplers, progress, finals, strict=True
        )
    ]
    for row, baseline_row in runner.baseline_rows.items():
        if isinstance(baseline := outcomes[baseline_row], Failure):
            outcomes[row] = _fail_without_baseline(runner.runs[row], baseline)
    asked = outcomes[: len(runs)]
    for outcome, final in zip(asked, finals, strict=False):
        if isinstance(outcome, Record):
            on_predictions(outcome.id, final.predictions)
    return asked


def validate(runner: StackRunner, progress: Sequence[RunProgress], step: int) -> None:
    """Score every run on validation: keep the best checkpoint of its last phase, the last of equals; freeze a diverged run.

    On few validation labels many checkpoints score alike. That is no reason to stop early: with 101 labels, the first of
    equals cost plain training on long-tailed digits .027 macro-F1 on test compared with the last.

    A run that is trained on the validation part too has nothing left to be scored on: it keeps the checkpoint of the step at
    which its baseline's is the best.
    """
    metrics = [run.metric for run in runner.runs]
    evaluations = evaluate_parts(runner.stack, [task.valid for task in runner.tasks], metrics)
    for row, (run_progress, metric, evaluation) in enumerate(zip(progress, metrics, evaluations, strict=True)):
        if not evaluation.nll < DIVERGED and run_progress.diverged_at is None:  # NaN counts as diverged
            run_progress.diverged_at = step
            runner.freeze(row)
        if row in runner.baseline_rows:
            continue
        score = metric.value(evaluation)
        run_progress.curve.append((step, score))
        if not runner.in_last_phase(row):
            continue
        if run_progress.best is None or metric.is_better(score, run_progress.best_score):
            run_progress.best_since, run_progress.best_score = step, score
        if score == run_progress.best_score:
            run_progress.best, run_progress.best_step = runner.stack.snapshot(row), step
    for row, baseline_row in runner.baseline_rows.items():
        baseline, follower = progress[baseline_row], progress[row]
        if baseline.best_step == step:
            follower.best, follower.best_step = runner.stack.snapshot(row), step
            follower.best_since = baseline.best_since


def evaluate_checkpoints(runner: StackRunner, progress: Sequence[RunProgress]) -> list[FinalEvaluation]:
    """Evaluate the last checkpoint of each run, then restore and evaluate the chosen one."""
    tasks = runner.tasks
    last = compute_logits(runner.stack, [task.test for task in tasks]).cpu()
    runner.stack.restore([run_progress.best for run_progress in progress])
    on_valid = compute_logits(runner.stack, [task.valid for task in tasks]).cpu()
    on_test = compute_logits(runner.stack, [task.test for task in tasks]).cpu()
    return [
        evaluate_run(run, tasks[row], runner.stack.head(row), on_valid[row], on_test[row], last[row])
        for row, run in enumerate(runner.runs)
    ]


def _make_outcome(
    run: Run,
    task: Task,
    sampler: RunSampler,
    progress: RunProgress,
    evaluations: list[Evaluation],
    device: torch.device,
    times: dict[str, float],
) -> Record | Failure:
    """Return the record of a run, or a failure if it diverged."""
    key = run.id, run.label, run.name, run.seed
    diverged = f"diverged at a learning rate of {run.protocol.learning_rate:g}"
    if progress.diverged_at is not None:
        reason = f"the validation loss was not finite, or above {DIVERGED:,.0f}, at step {progress.diverged_at}"
        return Failure(*key, f"{diverged}: {reason}")
    if not all(evaluation.nll < DIVERGED for evaluation in evaluations if evaluation.adjustment == RAW):
        return Failure(*key, f"{diverged}: the test loss is not finite, or above {DIVERGED:,.0f}")
    return Record(
        *key,
        run.identity(),
        class_names=list(task.train.labels.class_names),
        evaluations=evaluations,
        curve=progress.curve,
        chosen_step=progress.best_step,
        converged=progress.best_since < run.protocol.steps,
        sampling=sampler.sampling_stats(),
        notes=sampler.notes,
        provenance=_provenance(run, device),
        times={f"stack_{what}_seconds": round(seconds, 3) for what, seconds in times.items()},
    )


def _fail_without_baseline(run: Run, baseline: Failure) -> Failure:
    """Return the failure of a run whose baseline failed, so that it is not known after how many steps to end."""
    reason = f"the baseline, which decides the number of steps, failed: {baseline.reason}"
    return Failure(run.id, run.label, run.name, run.seed, reason)


def _provenance(run: Run, device: torch.device) -> dict[str, str]:
    """Return the versions and the device that the run was trained with."""
    provenance = {"torch": torch.__version__, "device": device.type, "python": platform.python_version()}
    if device.type == "cuda":
        exact = torch.get_float32_matmul_precision() == "highest"
        provenance["float32"] = "full precision" if exact else "TF32 products"
    return provenance | ({"model": run.protocol.user_module_note} if run.protocol.user_module_note else {})
