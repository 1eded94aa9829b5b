"""Recall by class as a heat map, the most frequent class in training first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from bench.plotting.style import INK, STYLE, WIDTH
from bench.plotting.text_labels import drawable, width_in_inches, wrap_label
from bench.records.record import TaskFacts
from bench.report.figures.task_figure import describe_test, placeholder_figure, task_figure
from bench.report.frame import StudyResults
from bench.report.titles import NOTHING, display_name
from bench.text.numbers import MISSING, format_amount

TITLE = "Recall by class"
_SIZE, _SMALL_SIZE = 8.5, 7.5  # points
_COLOUR_BAR = 1.0  # inches


def draw_figure(results: StudyResults, facts: TaskFacts) -> Figure:
    """Return a row per strategy, by macro-F1 from the top down, and a column per class; cells are means over seeds."""
    means = results.means(facts)
    if means.empty:
        return placeholder_figure(results, facts, TITLE, NOTHING)
    recall = results.by_class(facts)["recall_mean"].unstack("class").loc[means.index, facts.class_names]
    names = [wrap_label(display_name(str(strategy)), width=28) for strategy in recall.index]
    names_width = max(width_in_inches(line, STYLE["font.size"]) for name in names for line in name.split("\n"))
    cell_width = (WIDTH - names_width - _COLOUR_BAR) / len(facts.class_names)
    columns = _column_labels(facts, cell_width)

    legend = f"{describe_test(results, facts)} Means over seeds, sorted by macro-F1. "
    legend += f"In parentheses: labels in training{', rounded' * columns.rounded}."
    if recall.isna().any(axis=None):
        legend += " Dash: not in test."
    height = 0.6 + columns.height + sum(0.16 + 0.16 * (name.count("\n") + 1) for name in names)
    figure = task_figure(results, facts, TITLE, [legend], height)
    axes = figure.add_subplot()
    colour_bar = {"label": "recall", "pad": 0.02, "fraction": 0.04, "aspect": 30}
    no_ticks = {"xticklabels": False, "yticklabels": False}
    sns.heatmap(recall, ax=axes, cmap="viridis", vmin=0, vmax=1, linewidths=1, cbar_kws=colour_bar, **no_ticks)
    row_centres, column_centres = (np.arange(size) + 0.5 for size in recall.shape)
    axes.set_yticks(row_centres, names, rotation=0)
    axes.set_xticks(column_centres, columns.texts, rotation=90 if columns.turned else 0, size=columns.size)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    _write_values(axes, recall.to_numpy(), cell_width)
    return figure


@dataclass(frozen=True)
class _ColumnLabels:
    """The labels under the columns: names of classes with their labels in training; `size` is in points."""

    texts: list[str]
    size: float = _SIZE
    rounded: bool = False
    turned: bool = False

    @property
    def height(self) -> float:
        """The height in inches."""
        if self.turned:
            return max(width_in_inches(text, self.size) for text in self.texts)
        return 0.15 * (1 + max(text.count("\n") for text in self.texts))

    def fits(self, cell_width: float) -> bool:
        """Whether no label is wider than its column, in inches."""
        lines = [line for text in self.texts for line in text.split("\n")]
        return max(width_in_inches(line, self.size) for line in lines) + 0.04 < cell_width


def _column_labels(facts: TaskFacts, cell_width: float) -> _ColumnLabels:
    """Return upright labels if they fit, if need be smaller, then with shorter lines and rounded counts; else turned ones."""
    classes = list(zip(facts.class_names, facts.class_counts, strict=True))
    texts = [f"{wrap_label(name, width=18)}\n({count:,})" for name, count in classes]
    short_texts = [f"{wrap_label(name, width=9)}\n({_round_count(count)})" for name, count in classes]
    for labels in (
        _ColumnLabels(texts, _SIZE),
        _ColumnLabels(texts, _SMALL_SIZE),
        _ColumnLabels(short_texts, _SMALL_SIZE, rounded=True),
    ):
        if labels.fits(cell_width):
            return labels
    return _ColumnLabels([f"{drawable(name)} ({count:,})" for name, count in classes], turned=True)


def _round_count(count: int) -> str:
    """Return a count with three significant digits.

    >>> _round_count(1_319_783), _round_count(48_715), _round_count(27)
    ('1.32M', '48.7k', '27')
    """
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if count >= size:
            return f"{format_amount(count / size)}{unit}"
    return str(count)


def _write_values(axes: Axes, values: np.ndarray, cell_width: float) -> None:
    """Write the numbers into the cells, if there is room for them, in black or white: whichever has more contrast."""
    mesh = axes.collections[0]
    assert isinstance(mesh, QuadMesh)
    mesh.update_scalarmappable()
    if cell_width < width_in_inches(".00", _SIZE):
        return
    short = cell_width < width_in_inches("0.000", _SIZE)
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            text, colour = MISSING, INK  # on the white of the figure
        else:
            text = f"{value:.2f}"
            text = text.removeprefix("0")[:3] if short else text  # .73, 1.0
            colour = "black" if _luminance(list(mesh.to_rgba(value))) > 0.179 else "white"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=_SIZE, color=colour)


def _luminance(rgba: Sequence[float]) -> float:
    """Return the relative luminance of an sRGB colour; above 0.179, black has more contrast with it than white (WCAG)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgba[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
