"""The validation score by training step, one panel per strategy: has it stopped rising?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from bench.plotting.limits import padded_limits, score_floor
from bench.plotting.panels import add_panels, row_count
from bench.plotting.style import COLOURS, GREY, LIGHT
from bench.plotting.text_labels import wrap_label
from bench.records.record import TaskFacts
from bench.report import wording
from bench.report.figures.task_figure import placeholder_figure, task_figure
from bench.report.frame import StudyResults
from bench.report.protocol_fields import is_estimator
from bench.report.titles import NOTHING, display_name

TITLE = "Validation {metric} by training step"
_ACROSS = 3
_MOST_TICKS = 4
_MOST_LINES = 10


def draw_figure(results: StudyResults, facts: TaskFacts) -> Figure:
    """Return a panel per strategy, by macro-F1 on test, all with the same axes.

    A strategy that only adjusts the logits of another one shares that strategy's runs and has no panel of its own.
    """
    metric = results.checkpoint_metric_title(facts)
    title = TITLE.format(metric=metric)
    with_curves = results.curves.loc[results.curves["task"] == facts.task, "strategy"].unique()
    with_runs = [strategy for strategy in results.strategies_with_runs(facts) if strategy in with_curves]
    strategies = [str(strategy) for strategy in results.means(facts).index if strategy in with_runs]
    if is_estimator(results.study.protocols.get(facts.task, {})):
        return placeholder_figure(results, facts, title, wording.ESTIMATOR_HAS_NO_STEPS)
    if not strategies:
        return placeholder_figure(results, facts, title, NOTHING)
    curves = results.curves[(results.curves["task"] == facts.task) & results.curves["strategy"].isin(strategies)]
    means = curves.groupby(["strategy", "step"])["score"].mean().unstack("strategy")
    low, high = _score_limits(curves, lower_is_better=metric.startswith("cost"))
    hidden = _seeds_below(curves, low)

    names = [wrap_label(display_name(strategy), width=34) for strategy in strategies]
    title_lines = 1 + max(name.count("\n") for name in names)
    height = 0.25 + (1.6 + 0.15 * title_lines) * row_count(len(strategies), _ACROSS)
    figure = task_figure(results, facts, title, _legend(curves, hidden), height)
    panels = add_panels(figure, len(strategies), across=_ACROSS, xlabel="training step", ylabel=metric)
    panels[0].set(ylim=(low, high), xlim=padded_limits(curves["step"].min(), curves["step"].max()))
    for panel, strategy, name in zip(panels, strategies, names, strict=True):
        panel.set_title(name, loc="left", size=9, y=1)
        _draw_curves(panel, curves[curves["strategy"] == strategy], means, strategy)
        if strategy in hidden:
            _write_below(panel, hidden[strategy])
    return figure


def _legend(curves: pd.DataFrame, hidden: dict[str, str]) -> list[str]:
    if curves["seed"].nunique() <= _MOST_LINES:
        seeds = "Thin line: one seed. Diamond: its chosen checkpoint"
    else:
        seeds = "Band: lowest to highest seed. Diamond: a chosen checkpoint"
    legend = [
        f"Thick line: mean over seeds. {seeds}; at the last step, the seed has not converged.",
        "Grey: means of the other strategies. Panels are sorted by macro-F1 on test.",
    ]
    if hidden:
        names = (f"{display_name(strategy)} ({seeds})" for strategy, seeds in hidden.items())
        legend.append(f"Below the axis: {', '.join(names)}.")
    return legend


def _score_limits(curves: pd.DataFrame, *, lower_is_better: bool) -> tuple[float, float]:
    """Return the limits of the axis of scores; runs far below all others, if worse, are left out: they would squeeze these."""
    if lower_is_better:
        return padded_limits(curves["score"].min(), curves["score"].max())
    best = curves.groupby(["strategy", "seed"])["score"].transform("max")
    shown = curves["score"][best >= score_floor(best.unique())]
    return padded_limits(shown.min(), shown.max())


def _seeds_below(curves: pd.DataFrame, low: float) -> dict[str, str]:
    """Return, for each strategy with seeds wholly below the axis, how many and how high they get."""
    best = curves.groupby(["strategy", "seed"], sort=False)["score"].max()
    return {
        str(strategy): f"{len(scores)} seed{'s' * (len(scores) > 1)}, {scores.max():.3f} at most"
        for strategy, scores in best[best < low].groupby("strategy", sort=False)
    }


def _ticks(steps: list[float]) -> list[float]:
    """Return the last step and every n-th one before it, four at most.

    >>> _ticks([400, 800, 1200, 1600, 2000])
    [400, 1200, 2000]
    """
    every = math.ceil(len(steps) / _MOST_TICKS)
    return steps[::-1][::every][::-1]


def _lines(scores: pd.DataFrame, **style: Any) -> LineCollection:
    """Return a line per column over the steps of the index, all as one artist."""
    steps = scores.index.to_numpy(dtype=float)
    lines = [np.column_stack([steps, column]) for column in scores.to_numpy(dtype=float).T]
    return LineCollection(lines, zorder=2, **style)


def _draw_curves(panel: Axes, curves: pd.DataFrame, means: pd.DataFrame, strategy: str) -> None:
    blue = COLOURS["blue"]
    chosen = curves[curves["chosen"]]
    seeds = curves.groupby(["seed", "step"])["score"].mean().unstack("seed")
    panel.add_collection(_lines(means, colors=LIGHT, linewidths=0.8))
    if seeds.shape[1] <= _MOST_LINES:
        panel.add_collection(_lines(seeds, colors=blue, linewidths=0.7, alpha=0.6))
    else:
        chosen = chosen.groupby("step", as_index=False)[["score"]].mean()
        panel.fill_between(seeds.index, seeds.min(axis=1), seeds.max(axis=1), color=blue, alpha=0.2, linewidth=0)
    panel.plot(means.index, means[strategy], color=blue, linewidth=2)
    panel.scatter(chosen["step"], chosen["score"], s=24, marker="D", color=blue, edgecolor="white", zorder=5)
    panel.xaxis.set_major_locator(FixedLocator(_ticks(list(means.index))))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(axis="y")


def _write_below(panel: Axes, seeds: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    centred: dict[str, Any] = {"ha": "center", "va": "center", "transform": panel.transAxes, "zorder": 5}
    panel.text(0.5, 0.5, f"below the axis:\n{seeds}", color=GREY, size=9, bbox=box, **centred)
