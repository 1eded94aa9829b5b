"""What a run says before it starts and after it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, Group

from bench.engine.packing import Packing
from bench.engine.study_runner import StudyRunner
from bench.engine.time_estimate import predict
from bench.terminal.console import counted, declined


def planned(run: StudyRunner, console: Console, *, retry_failed: bool) -> Group:
    """The plan: what is to be trained, what is done, what is declined and why, its stacks, and how long it will take."""
    missing = run.missing(retry_failed)
    left = {each.id for each in missing}
    rows = []
    for row in run.plan.study.strategies:
        each = list(row.planned_runs())
        done = sum(run.store.record(id, asked) is not None for _, id, asked in each)
        counts = (sum(id in left for _, id, _ in each), done)
        rows.append((row.task, row.strategy, *map(str, counts)))
    packing = run.pack(missing)
    known = [each for each in run.plan.runs if each.id in left or run.store.record(each.id) is not None]
    time = predict(packing, run.without_cost(known), run.workers, run.device)
    total = (
        f"{len(missing)} trainings, predicted time {_spoken(time.training_seconds)} with "
        f"{_number_of(run.workers, 'worker')} on {run.device}, and about {_spoken(time.cost_seconds)} to measure costs; "
        f"results in {run.store.directory}"
    )
    not_counted = (f"not in the predicted time: {each}" for each in time.not_counted)
    below = [*declined(run.plan.study), *packed(packing), *not_counted, total]
    return counted(console, ("task", "strategy", "to train", "done"), rows, below)


def packed(packing: Packing) -> Iterator[str]:
    """How wide the stacks of each kind are and why, and what a worker holds."""
    for kind, stacks in packing.of_kind().items():
        width, widest, number = packing.widths[kind], len(stacks[0]), sum(map(len, stacks))
        if len(stacks) > -(-number // width.runs):
            why = "narrower, so that all workers have an equal share"
        elif widest == number:
            why = "all there are"
        else:
            why = width.because
        each = "" if width.training_bytes is None else f"; {width.training_bytes / 1e6:.1f} MB a training"
        yield f"{kind}: {_number_of(len(stacks), 'stack')} of {_range(len(stacks[-1]), widest)}: {why}{each}"
    if packing.stacks:
        held = packing.worker_bytes()
        memory = "memory unknown" if held is None else f"a worker holds about {held / 1e6:.0f} MB"
        yield f"{_number_of(len(packing.stacks), 'stack')}, {memory}"


def ended(run: StudyRunner, written: Sequence[Path]) -> Iterator[str]:
    """Where the time went, what failed, and the paths of tables and figures."""
    spent = ", ".join(f"{what} {_spoken(seconds)}" for what, seconds in run.clock.seconds.items())
    yield f"time: {spent}"
    for number, worker in enumerate(run.spent, 1):
        parts = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in worker.seconds.items())
        held = "" if worker.peak_bytes is None else f"; held {worker.peak_bytes / 1e6:,.0f} MB at most"
        yield f"worker {number}: {parts}; harness overhead {worker.overhead:.1%} of {worker.wall_seconds:.0f} s{held}"
    for warning in run.warnings():
        yield f"warning: {warning}"
    yield from declined(run.plan.study)
    for failure in run.failures():
        yield f"failed: {failure.strategy} on {failure.task}, seed {failure.seed}: {failure.reason}"
    yield "wrote:"
    for path in written:
        yield f"  {path}"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def _range(least: int, most: int) -> str:
    return f"{most}" if least == most else f"{least} to {most}"


def _number_of(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
