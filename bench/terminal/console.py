"""The console that commands print on, and the parts that several of them print.

Text is printed as it is, without markup. Where the output is not a terminal, lines are not wrapped, so that they can be
searched.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.console import Console, Group
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


def count_table(console: Console, header: Sequence[str], rows: Iterable[Sequence[str]], lines: Iterable[str]) -> Group:
    """Return a table of task, strategy and counts with lines below it; where it does not fit, task names are folded first."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip_longest(header, *rows, fillvalue="")]
    other_columns_fit = _TASK_WIDTH + sum(width + 1 for width in widths[1:]) <= console.width
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, title in enumerate(header):
        table.add_column(title, overflow="fold", no_wrap=other_columns_fit and place > 0)
    for row in rows:
        table.add_row(*row)
    return Group(table, *map(Text, lines))


def format_skipped(study: Study) -> Iterator[str]:
    """Yield a line per strategy that is not applicable to a task, with the reason."""
    return (f"skipped: {row.strategy} on {row.task}: {row.skipped}" for row in study.strategies if row.skipped)


def warn_of_unreadable(store: Store) -> None:
    """Print a line on standard error for every record that cannot be read, with the name of its file."""
    for path, failure in store.unreadable(store.study()).items():
        who = f"{failure.strategy} on {failure.task}, seed {failure.seed}"
        print(f"imbench: warning: {path}: {who}: {failure.reason}", file=sys.stderr)
