"""The console that commands print on, and the parts that several of them print.

Text is printed as it is, without markup. Where the output is not a terminal, lines are not wrapped, so that they can be
searched.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bench.records.record import Study
    from bench.records.store import Store

_UNLIMITED_WIDTH = 100_000
_TASK_WIDTH = 12
"""Columns that a folded task name needs to stay readable."""


def make_console(*, quiet: bool = False) -> Console:
    """Return a console on standard output; a quiet one prints nothing."""
    console = Console(quiet=quiet, markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _UNLIMITED_WIDTH
    return console


def make_progress_console(*, quiet: bool) -> Console:
    """Return a console on standard error, for the progress of a measurement."""
    return Console(stderr=True, quiet=quiet, highlight=False, markup=False)


def print_error(message: str) -> None:
    """Print a message on standard error: in a terminal wrapped between words, elsewhere on one line."""
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        message = textwrap.fill(message, columns, break_long_words=False, break_on_hyphens=False)
    print(message, file=sys.stderr)


class Activity:
    """What takes time now: in a terminal a line that the next one replaces, elsewhere one line per kind of work.

    Use it in a `with` block, which ends the line however the work ends.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._spinner = Spinner("dots")
        self._last = ""

    def __enter__(self) -> Activity:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def __call__(self, what: str, subject: str = "") -> None:
        """Say what is being done, and on what."""
        if self._console.is_terminal and not self._console.quiet:
            text = Text(f"{what}: {subject}" if subject else what)
            text.truncate(self._console.width - 3, overflow="ellipsis")  # one line, next to the spinner
            self._spinner.update(text=text)
            if self._live is None:
                self._live = Live(self._spinner, console=self._console, transient=True, refresh_per_second=8)
                self._live.start()
            self._live.refresh()
        elif what != self._last:
            self._console.print(f"{what} ...")
        self._last = what

    def end(self) -> None:
        """Take the line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def count_table(console: Console, header: Sequence[str], rows: Iterable[Sequence[str]], lines: Iterable[str]) -> Group:
    """Return a table of task, strategy and counts with lines below it; where it does not fit, task names are folded first."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip_longest(header, *rows, fillvalue="")]
    other_columns_fit = _TASK_WIDTH + sum(width + 1 for width in widths[1:]) <= console.width
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, title in enumerate(header):
        table.add_column(title, overflow="fold", no_wrap=other_columns_fit and place > 0)
    task_width = console.width - sum(width + 1 for width in widths[1:])
    for task, *others in rows:
        # Folded at hyphens: a word is not broken while there is another place.
        folded = textwrap.wrap(task, task_width, break_on_hyphens=True) if other_columns_fit else [task]
        table.add_row("\n".join(folded), *others)
    return Group(table, *map(Text, lines))


def format_skipped(study: Study) -> Iterator[str]:
    """Yield a line per strategy that is not applicable to a task, with the reason."""
    return (f"skipped: {row.strategy} on {row.task}: {row.skipped}" for row in study.strategies if row.skipped)


def warn_of_unreadable(store: Store) -> None:
    """Print a line on standard error for every record that cannot be read, with the name of its file."""
    for path, failure in store.unreadable(store.study()).items():
        who = f"{failure.strategy} on {failure.task}, seed {failure.seed}"
        print_error(f"imbench: warning: {path}: {who}: {failure.reason}")
