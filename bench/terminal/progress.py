"""The progress of a study while it runs: a live display in a terminal, and a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
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
    Requeued,
    Started,
    StudyBegan,
    TrainingBegan,
    TrainingEnded,
)
from bench.planning.run import Run
from bench.records.record import Failure

PLAIN_EVERY_SECONDS = 20.0


class Progress:
    """Counts of runs done, running and failed, training steps per second, and the time left."""

    def __init__(self, missing: Sequence[Run], done_before: int, failed: int = 0) -> None:
        self.done_before, self.total = done_before, done_before + failed + len(missing)
        self.work = sum(run.protocol.work for run in missing)
        self.done = self.running = self.steps_done = 0
        self.failed = failed
        self.work_done = 0.0
        self._begin = perf_counter()

    def update(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, Started):
            self.running += len(event.stack)
        elif isinstance(event, Advanced):
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
        """Return all of it in one line."""
        elapsed = perf_counter() - self._begin
        # The first few steps include the start of the workers, and predict little about the rest.
        left = elapsed * (self.work / self.work_done - 1) if self.work_done > 0.03 * self.work else None
        before = f" ({self.done_before} before)" if self.done_before else ""
        return (
            f"{self.done + self.done_before} of {self.total} runs done{before}, {self.running} running, "
            f"{self.failed} failed, {self.steps_done / elapsed:,.0f} steps/s, {_minutes(elapsed)} elapsed, "
            f"{'time left unknown' if left is None else f'about {_minutes(left)} left'}"
        )

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_row(ProgressBar(total=max(self.work, 1), completed=self.work_done, width=40))
        table.add_row(self.line())
        return table


class StudyDisplay:
    """An observer that prints a study's notes and the progress of its runs and cost measurements on a console.

    Use it in a `with` block, which ends the live display however the study ends.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
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
        elif isinstance(event, MeasuringCost):
            self._show_cost_measurement(event)
        else:
            self._progress.update(event)
            if isinstance(event, Advanced):
                self._print_line_if_due()

    def _begin_progress(self, event: TrainingBegan) -> None:
        self._progress = Progress(event.missing, event.done, event.failed)
        self._last_line = perf_counter()
        if self._console.is_terminal:
            self._live = Live(self._progress, console=self._console, refresh_per_second=4)
            self._live.start(refresh=True)

    def _end_progress(self) -> None:
        self._end_live_display()
        if not self._console.is_terminal:
            self._console.print(self._progress.line(), soft_wrap=True)

    def _end_live_display(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print_line_if_due(self) -> None:
        silent = self._console.is_terminal or self._console.quiet
        if not silent and perf_counter() - self._last_line >= PLAIN_EVERY_SECONDS:
            self._console.print(self._progress.line(), soft_wrap=True)
            self._last_line = perf_counter()

    def _show_cost_measurement(self, event: MeasuringCost) -> None:
        if self._console.is_terminal:
            line = f"cost {event.number} of {event.total}: {event.run.strategy} on {event.run.task.label}"
            self._console.print(line, end="\r", soft_wrap=True, highlight=False)


def print_notes(console: Console, notes: Sequence[str]) -> None:
    """Print each note on a line."""
    for note in notes:
        console.print(f"note: {note}", soft_wrap=True)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
