"""What sections are made of, before it is HTML or Markdown: text, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.figure import Figure

from bench.report.text_table import Table as Table


@dataclass(frozen=True)
class Drawing:
    """A figure; `name` is unique in the page, `alt` says in words what it shows."""

    figure: Figure
    name: str
    alt: str
    file: str = ""
    """Its file beside the page; empty where it stands in the page only."""


Part: TypeAlias = str | Table | Drawing


@dataclass(frozen=True)
class Section:
    """One topic of one task."""

    anchor: str
    title: str
    parts: Sequence[Part]
