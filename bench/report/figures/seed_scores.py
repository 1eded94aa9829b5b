"""Macro-F1 by strategy: every seed a point, the mean a bar, the baseline a line."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.labels import label
from bench.plotting.style import COLOURS, INK, floor
from bench.records.record import TaskFacts
from bench.report.figures.task_figure import budget, canvas, empty
from bench.report.frame import Results
from bench.report.titles import BASELINE, NOTHING
from bench.text.numbers import mean_sd

TITLE = "Macro-F1 by strategy"
_SPREAD = 0.2  # of a row: the same seed lies at the same height in every row


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Strategies by mean from the top down."""
    means = results.means(facts)
    if means.empty:
        return empty(results, facts, TITLE, NOTHING)
    names = [label(str(strategy), width=34) for strategy in means.index]
    said = "Circle: one seed, open if not converged. Bar: the mean."
    height = 0.75 + sum(0.2 + 0.16 * (name.count("\n") + 1) for name in names)
    page = canvas(results, facts, TITLE, [f"{budget(results, facts)} {said}"], height)
    axes = page.add_subplot()
    placed = _placed(results, facts, means)
    _points(axes, placed)
    rows = range(len(means))
    axes.scatter(means["macro_f1_mean"], rows, marker="|", s=420, linewidth=2.4, color=INK, zorder=2.5)
    axes.set(yticks=rows, yticklabels=names, ylim=(len(means) - 0.4, -0.6), xlabel="macro-F1", ylabel="")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.text(1.02, -0.6, "mean ± sd", transform=axes.get_yaxis_transform(), va="bottom")
    for row, (mean, sd) in enumerate(zip(means["macro_f1_mean"], means["macro_f1_sd"], strict=True)):
        axes.text(1.02, row, mean_sd(mean, sd), transform=axes.get_yaxis_transform(), va="center")
    baseline = [facts.baseline["macro_f1"]] if facts.baseline is not None else []
    _limit(axes, placed, baseline)
    for value in baseline:
        _baseline(axes, value)
    return page


def _placed(results: Results, facts: TaskFacts, means: pd.DataFrame) -> pd.DataFrame:
    """The task's trainings with a height `row`: strategies in the order of `means`, seeds a little apart."""
    runs = results.runs[results.runs["task"] == facts.task]
    rows = runs["strategy"].map({strategy: row for row, strategy in enumerate(means.index)})
    seeds = runs["seed"].rank(method="dense")
    apart = (seeds - (seeds.max() + 1) / 2) / max(seeds.max() - 1, 1)
    return runs.assign(row=rows + 2 * _SPREAD * apart)


def _points(axes: Axes, placed: pd.DataFrame) -> None:
    blue = COLOURS["blue"]
    shared = {"x": "macro_f1", "y": "row", "ax": axes, "legend": False, "s": 34, "linewidth": 1.2, "edgecolor": blue}
    for converged, fill in ((True, blue), (False, "white")):
        sns.scatterplot(placed[placed["converged"] == converged], color=fill, zorder=3, **shared)


def _limit(axes: Axes, placed: pd.DataFrame, baseline: list[float]) -> None:
    """Keep seeds far below all others from squeezing these: an arrow and their values stand for them."""
    shown = [*placed["macro_f1"], *baseline]
    low, high = min([floor(shown), *baseline]), max(shown)
    pad = max(0.05 * (high - low), 0.002)
    axes.set_xlim(low - pad, high + pad)
    for _, off in placed[placed["macro_f1"] < low].groupby("strategy"):
        where = " to ".join(sorted({f"{off['macro_f1'].min():.3f}", f"{off['macro_f1'].max():.3f}"}))
        text = f"← {len(off)} seed{'s' * (len(off) > 1)} at {where}"
        row, across = round(off["row"].iloc[0]), axes.get_yaxis_transform()
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(0.01, row, text, transform=across, va="center", zorder=5, bbox=box)


def _baseline(axes: Axes, value: float) -> None:
    axes.axvline(value, color=COLOURS["vermilion"], linestyle="--", linewidth=1.5, zorder=2)
    low, high = axes.get_xlim()
    right = value > (low + high) / 2
    axes.annotate(
        f"{BASELINE} {value:.3f}",
        (value, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(4 if right else -4, 2),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom",
        color=COLOURS["vermilion"],
    )
