"""The progress of a study while it runs: a live display in a terminal, and a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from bench.engine.events import (
    Advanced,
    Event,
    Finished,
    MeasuringCost,
    Preparing,
    Requeued,
    Started,
    StudyBegan,
    TaskEnded,
    TrainingBegan,
    TrainingEnded,
)
from bench.planning.run import Run
from bench.records.record import Failure
from bench.report.titles import display_name
from bench.terminal.console import Activity
from bench.text.numbers import format_about, format_duration

PLAIN_EVERY_SECONDS = 20.0
SHARE_BEFORE_ESTIMATE, SECONDS_BEFORE_ESTIMATE = 0.05, 10.0
"""How much of the work, and how long a time, must have passed before the rest is estimated from it."""


class Progress:
    """Counts of runs done, running and failed, training steps per second, and the time left."""

    def __init__(self, missing: Sequence[Run], done_before: int, failed: int = 0) -> None:
        self.done_before, self.total = done_before, done_before + failed + len(missing)
        self.work = sum(run.protocol.work for run in missing)
        self.done = self.running = self.steps_done = 0
        self.failed = failed
        self.work_done = 0.0
        self._begin = perf_counter()
        self._first_step = 0.0

    def update(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, Started):
            self.running += len(event.stack)
        elif isinstance(event, Advanced):
            self._first_step = self._first_step or perf_counter()
            self.steps_done += event.steps
            self.work_done += event.work
        elif isinstance(event, Requeued):
            self.running -= len(event.stack)
        elif isinstance(event, Finished):
            failed = sum(isinstance(outcome, Failure) for outcome in event.outcomes)
            self.running -= len(event.outcomes)
            self.failed += failed
            self.done += len(event.outcomes) - failed

    def line(self) -> str:
        """Return all of it in one line; what is not known yet is left out."""
        now = perf_counter()
        before = f" ({self.done_before} before)" if self.done_before else ""
        parts = [
            f"{self.done + self.done_before} of {self.total} runs done{before}",
            f"{self.running} running",
            f"{self.failed} failed",
        ]
        # Workers take seconds to start, which say nothing about the rest.
        training = now - self._first_step if self._first_step else 0.0
        if training > 1 and self.steps_done:
            parts.append(f"{self.steps_done / training:,.0f} steps/s")
        parts.append(f"{format_duration(now - self._begin)} elapsed")
        share = self.work_done / self.work if self.work else 1.0
        is_done = (
            self.done_before + self.done + self.failed >= self.total
        )  # a failed run leaves work that nobody will do
        if SHARE_BEFORE_ESTIMATE <= share < 1 and training >= SECONDS_BEFORE_ESTIMATE and not is_done:
            parts.append(f"about {format_about(training * (1 / share - 1))} left, then costs are measured")
        return ", ".join(parts)

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_row(ProgressBar(total=max(self.work, 1), completed=self.work_done, width=40))
        table.add_row(self.line())
        return table


class StudyDisplay:
    """An observer that prints a study's notes, its progress, and the verdict on each data set as soon as its runs are in.

    `summarise` returns the lines that are known when a task has ended. Use it in a `with` block, which ends the live display
    however the study ends.
    """

    def __init__(self, console: Console, activity: Activity, summarise: Callable[[str], Sequence[str]]) -> None:
        self._console, self._activity, self._summarise = console, activity, summarise
        self._progress = Progress([], 0)
        self._live: Live | None = None
        self._last_line = perf_counter()

    def __enter__(self) -> StudyDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_live_display()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, StudyBegan):
            print_notes(self._console, event.notes)
        elif isinstance(event, TrainingBegan):
            self._begin_progress(event)
        elif isinstance(event, TrainingEnded):
            self._end_progress()
        elif isinstance(event, TaskEnded):
            for line in self._summarise(event.task) if not self._console.quiet else ():
                self._console.print(line)
        elif isinstance(event, Preparing):
            self._activity(event.what, event.subject)
        elif isinstance(event, MeasuringCost):
            place = f"{event.number} of {event.total}, {display_name(str(event.run.strategy))} on {event.run.label}"
            self._activity("measuring costs", place)
        else:
            self._progress.update(event)
            if isinstance(event, Advanced):
                self._print_line_if_due()

    def _begin_progress(self, event: TrainingBegan) -> None:
        self._activity.end()
        self._progress = Progress(event.missing, event.done, event.failed)
        self._last_line = perf_counter()
        if self._console.is_terminal:
            self._live = Live(self._progress, console=self._console, refresh_per_second=4)
            self._live.start(refresh=True)

    def _end_progress(self) -> None:
        self._end_live_display()
        if not self._console.is_terminal:
            self._console.print(self._progress.line())

    def _end_live_display(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print_line_if_due(self) -> None:
        silent = self._console.is_terminal or self._console.quiet
        if not silent and perf_counter() - self._last_line >= PLAIN_EVERY_SECONDS:
            self._console.print(self._progress.line())
            self._last_line = perf_counter()


def print_notes(console: Console, notes: Sequence[str]) -> None:
    """Print each note on a line."""
    for note in notes:
        console.print(f"note: {note}")
