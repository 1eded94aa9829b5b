"""What a run says before it starts and after it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, Group

from bench.prediction import predicted_seconds
from bench.run import Run
from bench.screen import counted, declined


def planned(run: Run, workers: int, console: Console, *, retry_failed: bool) -> Group:
    """The plan: what is to be trained, what is done, what is declined and why, and how long it will take."""
    missing = run.missing(retry_failed)
    left = {each.id for each in missing}
    seconds = predicted_seconds(missing, workers, run.device)
    where = f"{workers} worker{'s' * (workers > 1)} on {run.device}"
    rows = []
    for row in run.plan.study.rows:
        ids = row.trainings.values()
        counts = (sum(id in left for id in ids), sum(run.store.record(id, [row.adjustment]) is not None for id in ids))
        rows.append((row.task, row.strategy, *map(str, counts)))
    total = (
        f"{len(missing)} trainings, predicted time {_spoken(seconds)} with {where}, results in {run.store.directory}"
    )
    return counted(console, ("task", "strategy", "to train", "done"), rows, [*declined(run.plan.study), total])


def ended(run: Run, written: Sequence[Path]) -> Iterator[str]:
    """Where the time went, what failed, and the paths of tables and figures."""
    spent = ", ".join(f"{what} {_spoken(seconds)}" for what, seconds in run.clock.seconds.items())
    yield f"time: {spent}"
    for number, worker in enumerate(run.spent, 1):
        parts = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in worker.seconds.items())
        yield f"worker {number}: {parts}; harness overhead {worker.overhead:.1%} of {worker.wall_seconds:.0f} s"
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
