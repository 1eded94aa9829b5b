"""Tables of a speed measurement, as Markdown and for the terminal, and the head of its Markdown page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from rich.table import Table

from bench.speed.measurement import Measurement
from bench.text.numbers import bullets, markdown, settings
from bench.text.numbers import table as markdown_table


class Timing(Protocol):
    """A row of a measurement: the timing of one variant."""

    @property
    def label(self) -> str:
        """The variant's name in tables and figures."""


Row = TypeVar("Row", bound=Timing)


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A heading, and what turns a row into the text of its cell."""

    heading: str
    cell: Callable[[Row], str]


@dataclass(frozen=True)
class TimingTable(Generic[Row]):
    """One line per row; the first column, headed by the title, names the variants."""

    title: str
    columns: Sequence[Column[Row]]
    rows: Sequence[Row]

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        header = [self.title, *(column.heading for column in self.columns)]
        return markdown_table(header, ([markdown(row.label), *self._cells(row)] for row in self.rows))

    def to_terminal(self) -> Table:
        """Return the table for a terminal."""
        table = Table(box=None, pad_edge=False)
        table.add_column(self.title, no_wrap=True)
        for column in self.columns:
            table.add_column(column.heading, justify="right")
        for row in self.rows:
            table.add_row(row.label, *self._cells(row))
        return table

    def _cells(self, row: Row) -> list[str]:
        return [column.cell(row) for column in self.columns]


def page_head(title: str, measurement: Measurement, notes: Iterable[str]) -> list[str]:
    """Return the first paragraphs of a Markdown page: title, command, machine, method, and what the columns mean."""
    return [
        f"# {title}",
        f"`{measurement.command}`",
        f"Machine: {markdown(describe_machine(measurement.machine))}.",
        f"Method: {markdown(measurement.method)}.",
        bullets(map(markdown, notes)),
    ]


def describe_machine(machine: dict[str, str]) -> str:
    """Return the device's name and the versions of packages on one line.

    >>> describe_machine({"device": "a processor", "python": "3.11", "torch": "2.13"})
    'a processor, python 3.11, torch 2.13'
    """
    versions = {name: version for name, version in machine.items() if name != "device"}
    return ", ".join(filter(None, [machine.get("device"), settings(versions)]))
