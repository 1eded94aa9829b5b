"""What commands print on: text as it is; where no one looks at a terminal, lines are not broken, so that they can be searched."""

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

_ENDLESS = 100_000
_TASK = 12
"""Columns that a folded task needs to be read."""


def screen(*, quiet: bool = False) -> Console:
    """Standard output."""
    console = Console(quiet=quiet, markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _ENDLESS
    return console


def counted(console: Console, header: Sequence[str], rows: Iterable[Sequence[str]], below: Iterable[str]) -> Group:
    """A table of task, strategy and counts, and lines below it; where room is scarce, a task's name is folded first."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip_longest(header, *rows, fillvalue="")]
    whole = _TASK + sum(width + 1 for width in widths[1:]) <= console.width
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, title in enumerate(header):
        table.add_column(title, overflow="fold", no_wrap=whole and place > 0)
    for row in rows:
        table.add_row(*row)
    return Group(table, *map(Text, below))


def noted(study: Study) -> Iterator[str]:
    """What must be known of the study, and of the data of its tasks, each once."""
    yield from study.notes
    for note in dict.fromkeys(note for facts in study.tasks for note in facts.notes):
        yield f"{', '.join(facts.task for facts in study.tasks if note in facts.notes)}: {note}"


def declined(study: Study) -> Iterator[str]:
    """What cannot be trained, and why."""
    return (f"declined: {row.strategy} on {row.task}: {row.skipped}" for row in study.strategies if row.skipped)


def warn_of_unreadable(store: Store) -> None:
    """A line on standard error for every record that cannot be read, with its file's name."""
    for path, training in store.unreadable(store.study()).items():
        who = f"{training.strategy} on {training.task}, seed {training.seed}"
        print(f"imbench: warning: {path}: {who}: {training.reason}", file=sys.stderr)
