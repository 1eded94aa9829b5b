"""What all figures share: colours, fonts, a head with title and notes, and files that are the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bench.plotting.text_labels import FONT, fit_lines

WIDTH = 9.0  # inches; in a page 900 pixels wide, text of 9 points is 12.5 pixels high
MARGIN = 0.1  # inches
LINE = 0.185  # inches per line of the notes under the title
COLOURS: dict[str, Any] = dict(
    zip(("blue", "orange", "green", "vermilion", "purple"), sns.color_palette("colorblind"), strict=False)
)
INK, GREY, LIGHT = "#222222", "#666666", "#c8c8c8"
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": [FONT],
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "axes.titlesize": 9.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#e4e4e4",
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": None,
    "text.parse_math": False,  # a `$` in a label is a dollar
    "text.usetex": False,
    "svg.hashsalt": "imbalance-bench",
    "svg.fonttype": "path",
}

_TITLE_LINE = 0.23  # inches per line of the title
_TITLE_SIZE, _NOTE_SIZE = 12.0, 9.0  # points


def titled_figure(title: str, notes: Iterable[str], height: float) -> Figure:
    """Return an empty figure with title and notes in its head, above a body of `height` inches."""
    room = WIDTH - 3 * MARGIN
    title_lines = fit_lines(title, room, _TITLE_SIZE, "bold")
    note_lines = [line for note in notes for line in fit_lines(note, room, _NOTE_SIZE)]
    head = 0.15 + _TITLE_LINE * len(title_lines) + LINE * len(note_lines)

    figure = Figure(figsize=(WIDTH, head + height), layout="constrained")
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(rect=(0, 0, 1, height / (head + height)), w_pad=MARGIN, h_pad=0.08)  # the body only

    from_top = 0.1
    for line in title_lines:
        y = 1 - from_top / (head + height)
        figure.text(MARGIN / WIDTH, y, line, size=_TITLE_SIZE, weight="bold", va="top")
        from_top += _TITLE_LINE
    for line in note_lines:
        y = 1 - from_top / (head + height)
        figure.text(MARGIN / WIDTH, y, line, size=_NOTE_SIZE, weight="normal", va="top")
        from_top += LINE
    return figure


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem.png` and `stem.svg`, without dates, and return both paths."""
    png, svg = (stem.with_name(f"{stem.name}.{suffix}") for suffix in ("png", "svg"))
    figure.savefig(png, dpi=150)
    figure.set_layout_engine("none")  # the SVG keeps the layout that was found for the PNG
    figure.savefig(svg, metadata={"Date": None})
    return [png, svg]
