"""A figure's page: title and what must be said above, a body of any height below, saved the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bench.plotting.labels import FONT, fitted

WIDTH = 9.0  # inches: 900 pixels wide in a page, 9 points of text are 12.5 pixels
MARGIN = 0.1
LINE = 0.185  # inches a line of the head
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


def titled_figure(title: str, lines: Iterable[str], height: float) -> Figure:
    """An empty figure whose head holds the title and the lines, above a body of `height` inches."""
    room = WIDTH - 3 * MARGIN
    fitting = [each for text in lines for each in fitted(text, room, 9)]
    titles = fitted(title, room, 12, "bold")
    head = 0.15 + 0.23 * len(titles) + LINE * len(fitting)
    figure = Figure(figsize=(WIDTH, head + height), layout="constrained")
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(rect=(0, 0, 1, height / (head + height)), w_pad=MARGIN, h_pad=0.08)
    down = 0.1
    for text, size, weight, step in [
        *((text, 12.0, "bold", 0.23) for text in titles),
        *((text, 9.0, "normal", LINE) for text in fitting),
    ]:
        y = 1 - down / (head + height)
        figure.text(MARGIN / WIDTH, y, text, size=size, weight=weight, va="top")
        down += step
    return figure


def floor(values: Iterable[float]) -> float:
    """The lowest score that an axis must reach: below it is a gap of 0.2 or more, twice as wide as all above it.

    >>> floor([0.21, 0.72, 0.74, 0.79]), floor([0.67, 0.72, 0.74, 0.79])
    (0.72, 0.67)
    """
    ordered = sorted(values)
    for below, above in pairwise(ordered):
        if above - below >= max(0.2, 2 * (ordered[-1] - above)) and above < ordered[-1]:
            return above
    return ordered[0]


def reach(distances: Iterable[float]) -> float:
    """How far an axis of distances must reach: a quarter of them at most is beyond, the nearest twice as far as the rest.

    >>> reach([0.01, 0.03, 0.07, 0.59]), reach([0.01, 0.03, 0.59])
    (0.07, 0.59)
    """
    ordered = sorted(distances)
    for near, far in pairwise(ordered[math.ceil(0.75 * len(ordered)) - 1 :]):
        if far > 2 * near > 0:
            return near
    return ordered[-1]


def spread(wanted: Sequence[float], sizes: Sequence[float], high: float) -> list[float]:
    """Centres near the wanted ones for things of these sizes, between 0 and `high`, that do not overlap.

    >>> spread([0.5, 0.0, 0.5], [0.2, 0.2, 0.4], 1.0)
    [0.5, 0.1, 0.8]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = dict.fromkeys(order, 0.0)
    edge = 0.0
    for i in order:
        places[i] = max(wanted[i], edge + sizes[i] / 2)
        edge = places[i] + sizes[i] / 2
    edge = high
    for i in reversed(order):
        places[i] = min(places[i], edge - sizes[i] / 2)
        edge = places[i] - sizes[i] / 2
    return [places[i] for i in range(len(wanted))]


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write PNG and SVG without dates; both paths."""
    paths = [stem.with_name(f"{stem.name}.{suffix}") for suffix in ("png", "svg")]
    figure.savefig(paths[0], dpi=150)
    figure.set_layout_engine("none")  # the layout found for the PNG is the SVG's too
    figure.savefig(paths[1], metadata={"Date": None})
    return paths
