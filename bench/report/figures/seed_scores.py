"""Macro-F1 by strategy: every seed a circle, the mean a bar, the most-frequent-tag baseline a line."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.limits import padded_limits, score_floor
from bench.plotting.style import COLOURS, INK
from bench.plotting.text_labels import wrap_label
from bench.records.record import TaskFacts
from bench.report.figures.task_figure import describe_test, placeholder_figure, task_figure
from bench.report.frame import StudyResults
from bench.report.titles import MOST_FREQUENT_TAG, NOTHING, display_name
from bench.text.numbers import format_mean_sd

TITLE = "Macro-F1 by strategy"
_SEEDS_HEIGHT = 0.2  # the seeds of a strategy are at most this far above and below the middle of its row


def draw_figure(results: StudyResults, facts: TaskFacts) -> Figure:
    """Return a row per strategy, the highest mean at the top."""
    means = results.means(facts)
    if means.empty:
        return placeholder_figure(results, facts, TITLE, NOTHING)
    names = [wrap_label(display_name(str(strategy)), width=34) for strategy in means.index]
    height = 0.75 + sum(0.2 + 0.16 * (name.count("\n") + 1) for name in names)
    legend = f"{describe_test(results, facts)} Circle: one seed, open if it has not converged. Bar: mean over seeds."
    figure = task_figure(results, facts, TITLE, [legend], height)
    axes = figure.add_subplot()
    runs = _runs_with_rows(results, facts, means)
    _draw_seeds(axes, runs)
    rows = range(len(means))
    axes.scatter(means["macro_f1_mean"], rows, marker="|", s=420, linewidth=2.4, color=INK, zorder=2.5)
    axes.set(yticks=rows, yticklabels=names, ylim=(len(means) - 0.4, -0.6), xlabel="macro-F1", ylabel="")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.text(1.02, -0.6, "mean ± sd", transform=axes.get_yaxis_transform(), va="bottom")
    for row, (mean, sd) in enumerate(zip(means["macro_f1_mean"], means["macro_f1_sd"], strict=True)):
        axes.text(1.02, row, format_mean_sd(mean, sd), transform=axes.get_yaxis_transform(), va="center")
    most_frequent_tag = None if facts.baseline is None else facts.baseline["macro_f1"]
    _limit_scores(axes, runs, most_frequent_tag)
    if most_frequent_tag is not None:
        _draw_most_frequent_tag(axes, most_frequent_tag)
    return figure


def _runs_with_rows(results: StudyResults, facts: TaskFacts, means: pd.DataFrame) -> pd.DataFrame:
    """Return the task's runs with a column `row`: where each is plotted. A seed has the same place in every strategy's row."""
    runs = results.runs[results.runs["task"] == facts.task]
    rows = runs["strategy"].map({strategy: row for row, strategy in enumerate(means.index)})
    ranks = runs["seed"].rank(method="dense")
    from_middle = (ranks - (ranks.max() + 1) / 2) / max(ranks.max() - 1, 1)  # -0.5 to 0.5
    return runs.assign(row=rows + 2 * _SEEDS_HEIGHT * from_middle)


def _draw_seeds(axes: Axes, runs: pd.DataFrame) -> None:
    blue = COLOURS["blue"]
    style = {"x": "macro_f1", "y": "row", "ax": axes, "legend": False, "s": 34, "linewidth": 1.2, "edgecolor": blue}
    for converged, fill in ((True, blue), (False, "white")):
        sns.scatterplot(runs[runs["converged"] == converged], color=fill, zorder=3, **style)


def _limit_scores(axes: Axes, runs: pd.DataFrame, most_frequent_tag: float | None) -> None:
    """Leave seeds far below all others off the axis, so that they do not squeeze these: an arrow and text replace them."""
    always_shown = [] if most_frequent_tag is None else [most_frequent_tag]
    scores = [*runs["macro_f1"], *always_shown]
    low = min([score_floor(scores), *always_shown])
    axes.set_xlim(padded_limits(low, max(scores)))
    for _, hidden in runs[runs["macro_f1"] < low].groupby("strategy"):
        extremes = sorted({f"{hidden['macro_f1'].min():.3f}", f"{hidden['macro_f1'].max():.3f}"})
        text = f"← {len(hidden)} seed{'s' * (len(hidden) > 1)} at {' to '.join(extremes)}"
        row = round(hidden["row"].iloc[0])
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(0.01, row, text, transform=axes.get_yaxis_transform(), va="center", zorder=5, bbox=box)


def _draw_most_frequent_tag(axes: Axes, value: float) -> None:
    axes.axvline(value, color=COLOURS["vermilion"], linestyle="--", linewidth=1.5, zorder=2)
    low, high = axes.get_xlim()
    to_the_left = value > (low + high) / 2
    axes.annotate(
        f"{MOST_FREQUENT_TAG} {value:.3f}",
        (value, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(4 if to_the_left else -4, 2),
        textcoords="offset points",
        ha="right" if to_the_left else "left",
        va="bottom",
        color=COLOURS["vermilion"],
    )
