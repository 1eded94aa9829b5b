"""Recall by class as a heat map, head classes first."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from bench.record import TaskFacts
from bench.report.figures.canvas import STYLE, WIDTH, budget, canvas, empty
from bench.report.figures.lettering import drawable, inches, label
from bench.report.frame import Results
from bench.report.text import NONE
from bench.report.titles import NOTHING

TITLE = "Recall by class"
_SIZE = 8.5


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
    columns, turned = _columns(facts, cell)
    height += max(inches(name, _SIZE) for name in columns) if turned else 0.3
    page = canvas(results, facts, TITLE, [f"{budget(results, facts)} {said}"], height)
    axes = page.add_subplot()
    bare = {"xticklabels": False, "yticklabels": False}
    bar = {"label": "recall", "pad": 0.02, "fraction": 0.04, "aspect": 30}
    sns.heatmap(recall, ax=axes, cmap="viridis", vmin=0, vmax=1, linewidths=1, cbar_kws=bar, **bare)
    centres = [np.arange(size) + 0.5 for size in recall.shape]
    axes.set_yticks(centres[0], names, rotation=0)
    axes.set_xticks(centres[1], columns, rotation=90 if turned else 0, size=_SIZE)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    _write(axes, recall.to_numpy(), cell)
    return page


def _columns(facts: TaskFacts, cell: float) -> tuple[list[str], bool]:
    """Names of the classes with their counts, and whether they must be turned to stand beside each other."""
    counted = list(zip(facts.class_names, facts.class_counts, strict=True))
    flat = [f"{label(name, width=18)}\n({count:,})" for name, count in counted]
    if max(inches(line, _SIZE) for text in flat for line in text.split("\n")) + 0.04 < cell:
        return flat, False
    return [f"{drawable(name)} ({count:,})" for name, count in counted], True


def _write(axes: Axes, values: np.ndarray, cell: float) -> None:
    """Write the numbers into the cells, black or white by what stands out more, where there is room for them."""
    mesh = axes.collections[0]
    assert isinstance(mesh, QuadMesh)
    mesh.update_scalarmappable()
    if cell < inches(".00", _SIZE):
        return
    for (row, column), value in np.ndenumerate(values):
        red, green, blue = (_linear(part) for part in mesh.to_rgba(value)[:3])
        dark = np.isnan(value) or 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179
        text = NONE if np.isnan(value) else f"{value:.2f}"
        if cell < inches("0.000", _SIZE):
            text = text.removeprefix("0")[:3]  # .73, 1.0
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", size=_SIZE, color="black" if dark else "white"
        )


def _linear(part: float) -> float:
    """An sRGB part as light, as WCAG's contrast counts it."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
