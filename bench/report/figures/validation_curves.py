"""Validation macro-F1 by step, a panel a strategy: has it stopped rising?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from bench.plotting.labels import label
from bench.plotting.style import COLOURS, GREY, LIGHT, floor
from bench.records.record import TaskFacts
from bench.report.figures.task_figure import canvas, empty
from bench.report.frame import Results
from bench.report.titles import NOTHING

TITLE = "Validation macro-F1 by step"
_ACROSS = 3
_TICKS = 4
_MOST_LINES = 10


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Panels by macro-F1 on test, all with the same axes; what only adjusts finished logits has no curve of its own."""
    trained = results.trained(facts)
    strategies = [each for each in results.means(facts).index if each in trained]
    if not strategies:
        return empty(results, facts, TITLE, NOTHING)
    down = math.ceil(len(strategies) / _ACROSS)
    curves = results.curves[(results.curves["task"] == facts.task) & results.curves["strategy"].isin(strategies)]
    low, high = _limits(curves)
    below = _below(curves, low)
    few = curves["seed"].nunique() <= _MOST_LINES
    each_seed = "Thin: each seed. Diamond: the" if few else "Band: lowest to highest seed. Diamond: a"
    said = [
        f"Thick: mean over seeds. {each_seed} checkpoint chosen; at the last step: not converged.",
        "Grey: means of the other strategies. Panels in the order of macro-F1 on test.",
        *(
            [f"Below the axis: {', '.join(f'{strategy} ({what})' for strategy, what in below.items())}."]
            if below
            else []
        ),
    ]
    names = [label(strategy, width=34) for strategy in strategies]
    lines = max(name.count("\n") for name in names)
    page = canvas(results, facts, TITLE, said, 0.25 + (1.75 + 0.15 * lines) * down)
    panels = page.subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    means = curves.groupby(["strategy", "step"])["macro_f1"].mean().unstack("strategy")
    steps = curves["step"]
    panels[0].set(ylim=(low, high), xlim=_padded(steps.min(), steps.max()))  # before any line: limits are found once
    for panel, strategy, name in zip(panels, strategies, names, strict=False):
        _draw(panel, curves[curves["strategy"] == strategy], means, strategy)
        panel.set_title(name, loc="left", size=9, y=1)
        if strategy in below:
            middle = {"ha": "center", "va": "center", "transform": panel.transAxes, "zorder": 5}
            box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
            panel.text(0.5, 0.5, f"below the axis:\n{below[strategy]}", color=GREY, size=9, bbox=box, **middle)
    for panel in panels[len(strategies) :]:
        panel.set_axis_off()
    for panel in panels[max(len(strategies) - _ACROSS, 0) : len(strategies)]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("training step")
    for panel in panels[::_ACROSS]:
        panel.set_ylabel("macro-F1")
    return page


def _limits(curves: pd.DataFrame) -> tuple[float, float]:
    """Where the axis of scores begins and ends: trainings far below all others would press these together."""
    best = curves.groupby(["strategy", "seed"])["macro_f1"].transform("max")
    shown = curves["macro_f1"][best >= floor(best.unique())]
    return _padded(shown.min(), shown.max())


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = max(0.05 * (high - low), 0.002)
    return low - pad, high + pad


def _below(curves: pd.DataFrame, low: float) -> dict[str, str]:
    """The seeds of which nothing is to be seen, by strategy: how many, and how far up they came."""
    best = curves.groupby(["strategy", "seed"], sort=False)["macro_f1"].max()
    return {
        str(strategy): f"{len(off)} seed{'s' * (len(off) > 1)}, {off.max():.3f} at most"
        for strategy, off in best[best < low].groupby("strategy", sort=False)
    }


def _ticks(steps: list[float]) -> list[float]:
    """Validation steps, the last one and every so many before it.

    >>> _ticks([400, 800, 1200, 1600, 2000])
    [400, 1200, 2000]
    """
    return steps[::-1][:: math.ceil(len(steps) / _TICKS)][::-1]


def _lines(by_step: pd.DataFrame, **look: Any) -> LineCollection:
    """A line a column, as one artist."""
    steps = by_step.index.to_numpy(dtype=float)
    return LineCollection(
        [np.column_stack([steps, each]) for each in by_step.to_numpy(dtype=float).T], zorder=2, **look
    )


def _draw(panel: Axes, curves: pd.DataFrame, means: pd.DataFrame, strategy: str) -> None:
    blue = COLOURS["blue"]
    chosen = curves[curves["chosen"]]
    seeds = curves.groupby(["seed", "step"])["macro_f1"].mean().unstack("seed")
    panel.add_collection(_lines(means, colors=LIGHT, linewidths=0.8))
    if seeds.shape[1] <= _MOST_LINES:
        panel.add_collection(_lines(seeds, colors=blue, linewidths=0.7, alpha=0.6))
    else:
        chosen = chosen.groupby("step", as_index=False)[["macro_f1"]].mean()
        panel.fill_between(seeds.index, seeds.min(axis=1), seeds.max(axis=1), color=blue, alpha=0.2, linewidth=0)
    panel.plot(means.index, means[strategy], color=blue, linewidth=2)
    panel.scatter(chosen["step"], chosen["macro_f1"], s=24, marker="D", color=blue, edgecolor="white", zorder=5)
    panel.xaxis.set_major_locator(FixedLocator(_ticks(list(means.index))))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(axis="y")
