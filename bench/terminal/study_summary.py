"""A study as text: the plan that `--dry-run` prints, and the summary that a finished study prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Console, Group

from bench.engine.packing import Packing
from bench.engine.study_runner import StudyPreview, StudyResult
from bench.report.frame import format_seeds, seeds_by_text
from bench.terminal.console import count_table, format_skipped
from bench.text.numbers import format_duration, plural

_PHASES = {"draw": "sample"}
"""What the seconds of a worker's clock are called, where not by their key."""


def format_preview(preview: StudyPreview, console: Console) -> Group:
    """Return the plan: runs to train and done, skipped strategies with the reason, the stacks, and the estimated time."""
    rows = [(counts.task, counts.strategy, str(counts.to_train), str(counts.done)) for counts in preview.counts]
    time = preview.time
    total = (
        f"{plural(preview.runs, 'run')} to train, estimated time {format_duration(time.training_seconds)} with "
        f"{plural(preview.workers, 'worker')} on {preview.device}, and about {format_duration(time.cost_seconds)} to measure "
        f"costs; results in {preview.directory}"
    )
    not_counted = (f"not in the estimated time: {reason}" for reason in time.not_counted)
    lines = [*format_skipped(preview.study), *format_packing(preview.packing), *not_counted, total]
    return count_table(console, ("task", "strategy", "to train", "done"), rows, lines)


def format_packing(packing: Packing) -> Iterator[str]:
    """Yield a line per kind of stack, with its width and the reason for it, and a line on the memory of a worker."""
    for key, stacks in packing.by_stack_key().items():
        width, widest, runs = packing.widths[key], len(stacks[0]), sum(map(len, stacks))
        if len(stacks) > -(-runs // width.runs):
            reason = "narrower, so that all workers have an equal share"
        elif widest == runs:
            reason = "all runs in one stack"
        else:
            reason = width.because
        memory = "" if width.bytes_per_run is None else f"; {width.bytes_per_run / 1e6:.1f} MB per run"
        yield f"{key}: {plural(len(stacks), 'stack')} of {_range(len(stacks[-1]), widest)}: {reason}{memory}"
    if packing.stacks:
        worker_bytes = packing.worker_bytes()
        memory = "memory unknown" if worker_bytes is None else f"a worker takes about {worker_bytes / 1e6:.0f} MB"
        yield f"{plural(len(packing.stacks), 'stack')}, {memory}"


def format_result(result: StudyResult) -> Iterator[str]:
    """Yield warnings, skipped strategies and failed runs, a line for each kind."""
    for warned in result.warnings:
        messages = (f"{message} ({format_seeds(where)})" for message, where in seeds_by_text(warned.messages).items())
        yield f"warning: {warned.strategy} on {warned.task}: {'; '.join(messages)}"
    yield from format_skipped(result.study)
    yield from (f"cost not measured: {reason}" for reason in result.not_measured)
    seeds: dict[tuple[str, str, str], list[int]] = {}
    for failure in result.failures:
        seeds.setdefault((failure.strategy, failure.task, failure.reason), []).append(failure.seed)
    for (strategy, task, reason), failed in seeds.items():
        yield f"failed: {strategy} on {task}, {format_seeds(failed)}: {reason}"


def format_times(result: StudyResult, seconds: Mapping[str, float]) -> Iterator[str]:
    """Yield where the time of the study went, and that of each worker."""
    yield f"time: {', '.join(f'{what} {format_duration(taken)}' for what, taken in seconds.items())}"
    for number, worker in enumerate(result.workers, 1):
        parts = ", ".join(f"{_PHASES.get(what, what)} {taken:.0f} s" for what, taken in worker.seconds.items())
        memory = "" if worker.peak_bytes is None else f"; peak memory {worker.peak_bytes / 1e6:,.0f} MB"
        yield f"worker {number}: {parts}; harness overhead {worker.overhead:.1%} of {worker.wall_seconds:.0f} s{memory}"


def _range(least: int, most: int) -> str:
    return f"{most}" if least == most else f"{least} to {most}"
