"""What a run shows while it works: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from bench.engine.events import Advanced, Event, Finished, Requeued, Started
from bench.planning.run import Run
from bench.records.record import Failure

PLAIN_EVERY_SECONDS = 20.0


class Progress:
    """Trainings done, running and failed, training steps a second, and the time left."""

    def __init__(self, missing: Sequence[Run], already: int, failed: int = 0) -> None:
        self.already, self.all = already, already + failed + len(missing)
        self.work = sum(each.protocol.work for each in missing)
        self.done = self.running = self.steps_done = 0
        self.failed = failed
        self.work_done = 0.0
        self._begin = perf_counter()

    def see(self, event: Event) -> None:
        """Counts an event."""
        if isinstance(event, Started):
            self.running += len(event.stack)
        elif isinstance(event, Advanced):
            self.steps_done += event.steps
            self.work_done += event.work
        elif isinstance(event, Requeued):
            self.running -= len(event.stack)
        elif isinstance(event, Finished):
            failed = sum(isinstance(each, Failure) for each in event.outcomes)
            self.running -= len(event.outcomes)
            self.failed += failed
            self.done += len(event.outcomes) - failed

    def line(self) -> str:
        """All of it in one line."""
        elapsed = perf_counter() - self._begin
        # The first few steps pay for starting the workers, and say little of the rest.
        left = elapsed * (self.work / self.work_done - 1) if self.work_done > 0.03 * self.work else None
        return (
            f"{self.done + self.already} of {self.all} trainings done{f' ({self.already} before)' if self.already else ''}, "
            f"{self.running} running, {self.failed} failed, {self.steps_done / elapsed:,.0f} steps/s, {_clock(elapsed)} gone, "
            f"{'time left unknown' if left is None else f'about {_clock(left)} left'}"
        )

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_row(ProgressBar(total=max(self.work, 1), completed=self.work_done, width=40))
        table.add_row(self.line())
        return table


@contextmanager
def shown(progress: Progress, console: Console) -> Iterator[None]:
    """Shows the progress while the block runs; plain lines are the caller's, through `PlainLines`."""
    if not console.is_terminal:
        yield
        return
    with Live(progress, console=console, refresh_per_second=4):
        yield


class PlainLines:
    """A line now and then, where the output is no terminal."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress, self._console = progress, console
        self._silent = console.is_terminal or console.quiet
        self._last = perf_counter()

    def due(self) -> None:
        """Prints the line if the last one is long enough ago."""
        if not self._silent and perf_counter() - self._last >= PLAIN_EVERY_SECONDS:
            self._console.print(self._progress.line(), soft_wrap=True)
            self._last = perf_counter()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
