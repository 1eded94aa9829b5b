"""What a section of the report is made of, before it is HTML or Markdown: text, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.figure import Figure

from bench.report.text_table import Table

__all__ = ["Chart", "Part", "RowAnchors", "Section", "Table"]


@dataclass(frozen=True)
class Chart:
    """A figure; `name` is unique in the page, `alt` says in words what the figure shows."""

    figure: Figure
    name: str
    alt: str
    file: str = ""
    """The figure's file next to the page; empty for a figure that is in the page only."""


@dataclass(frozen=True)
class RowAnchors:
    """Ids that links can point at, one for each row of the table that follows, by the text of the row's first cell."""

    ids: Mapping[str, str]


Part: TypeAlias = str | Table | Chart | RowAnchors


@dataclass(frozen=True)
class Section:
    """A titled part of the page; `anchor` is its id."""

    anchor: str
    title: str
    parts: Sequence[Part]
