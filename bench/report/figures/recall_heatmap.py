"""Recall by class as a heat map, head classes first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from bench.plotting.labels import drawable, inches, label
from bench.plotting.style import INK, STYLE, WIDTH
from bench.records.record import TaskFacts
from bench.report.figures.task_figure import budget, canvas, empty
from bench.report.frame import Results
from bench.report.titles import NOTHING
from bench.text.numbers import NONE, amount

TITLE = "Recall by class"
_SIZE, _SMALL = 8.5, 7.5


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Strategies by macro-F1 from the top down; cells are means over seeds."""
    means = results.means(facts)
    if means.empty:
        return empty(results, facts, TITLE, NOTHING)
    recall = results.by_class(facts)["recall_mean"].unstack("class").loc[means.index, facts.class_names]
    names = [label(str(strategy), width=28) for strategy in recall.index]
    said = "Means over seeds; strategies by macro-F1. In brackets: labels in training."
    said += " Dash: not in test." if recall.isna().any(axis=None) else ""
    height = 0.6 + sum(0.16 + 0.16 * (name.count("\n") + 1) for name in names)
    left = max(inches(line, STYLE["font.size"]) for name in names for line in name.split("\n"))
    cell = (WIDTH - left - 1.0) / len(facts.class_names)  # inches: an inch is the colour bar's
    columns = _columns(facts, cell)
    height += columns.height
    said += columns.said
    page = canvas(results, facts, TITLE, [f"{budget(results, facts)} {said}"], height)
    axes = page.add_subplot()
    bare = {"xticklabels": False, "yticklabels": False}
    bar = {"label": "recall", "pad": 0.02, "fraction": 0.04, "aspect": 30}
    sns.heatmap(recall, ax=axes, cmap="viridis", vmin=0, vmax=1, linewidths=1, cbar_kws=bar, **bare)
    centres = [np.arange(size) + 0.5 for size in recall.shape]
    axes.set_yticks(centres[0], names, rotation=0)
    axes.set_xticks(centres[1], columns.names, rotation=90 if columns.turned else 0, size=columns.size)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    _write(axes, recall.to_numpy(), cell)
    return page


@dataclass(frozen=True)
class _Columns:
    """What stands under the columns: names of classes with their counts, in points of `size`, in inches of `height`."""

    names: list[str]
    size: float = _SIZE
    said: str = ""
    turned: bool = False

    @property
    def height(self) -> float:
        if self.turned:
            return max(inches(name, self.size) for name in self.names)
        return 0.15 * (1 + max(name.count("\n") for name in self.names))

    def fit(self, cell: float) -> bool:
        return max(inches(line, self.size) for name in self.names for line in name.split("\n")) + 0.04 < cell


def _columns(facts: TaskFacts, cell: float) -> _Columns:
    """Side by side if they fit, then smaller, then with shorter lines and rounded counts; else turned."""
    counted = list(zip(facts.class_names, facts.class_counts, strict=True))
    for size in (_SIZE, _SMALL):
        columns = _Columns([f"{label(name, width=18)}\n({count:,})" for name, count in counted], size)
        if columns.fit(cell):
            return columns
    short = [f"{label(name, width=9)}\n({_rounded(count)})" for name, count in counted]
    columns = _Columns(short, _SMALL, " Counts are rounded.")
    return (
        columns
        if columns.fit(cell)
        else _Columns([f"{drawable(name)} ({count:,})" for name, count in counted], turned=True)
    )


def _rounded(count: int) -> str:
    """A count to three digits.

    >>> _rounded(1_319_783), _rounded(48_715), _rounded(27)
    ('1.32M', '48.7k', '27')
    """
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if count >= size:
            return f"{amount(count / size)}{unit}"
    return str(count)


def _write(axes: Axes, values: np.ndarray, cell: float) -> None:
    """Write the numbers into the cells, black or white by what stands out more, where there is room for them."""
    mesh = axes.collections[0]
    assert isinstance(mesh, QuadMesh)
    mesh.update_scalarmappable()
    if cell < inches(".00", _SIZE):
        return
    for (row, column), value in np.ndenumerate(values):
        red, green, blue = (_linear(part) for part in mesh.to_rgba(value)[:3])
        colour = "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"
        text = f"{value:.2f}"
        if cell < inches("0.000", _SIZE):
            text = text.removeprefix("0")[:3]  # .73, 1.0
        if np.isnan(value):
            text, colour = NONE, INK  # on the page's ground, not on a cell
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=_SIZE, color=colour)


def _linear(part: float) -> float:
    """An sRGB part as light, as WCAG's contrast counts it."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
