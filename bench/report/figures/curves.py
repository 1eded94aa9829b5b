"""Validation macro-F1 by step, a panel a strategy: has it stopped rising?"""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from bench.record import TaskFacts
from bench.report.figures.canvas import COLOURS, GREY, LIGHT, canvas, empty, floor
from bench.report.figures.lettering import label
from bench.report.frame import Results
from bench.report.titles import NOTHING

TITLE = "Validation macro-F1 by step"
_ACROSS = 3
_TICKS = 4


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Panels by macro-F1 on test, all with the same axes; what only adjusts finished logits has no curve of its own."""
    adjusted = {outcome.row.strategy for outcome in results.of(facts) if outcome.row.trained_as}
    strategies = [each for each in results.means(facts).index if each not in adjusted]
    if not strategies:
        return empty(results, facts, TITLE, NOTHING)
    down = math.ceil(len(strategies) / _ACROSS)
    curves = results.curves[(results.curves["task"] == facts.task) & results.curves["strategy"].isin(strategies)]
    low, high = _limits(curves)
    below = _below(curves, low)
    said = [
        "Thick: mean over seeds. Thin: each seed. Diamond: the checkpoint chosen; at the last step: not converged.",
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
    for panel, strategy, name in zip(panels, strategies, names, strict=False):
        _draw(panel, curves[curves["strategy"] == strategy], means, strategy)
        panel.set_title(name, loc="left", size=9)
        if strategy in below:
            middle = {"ha": "center", "va": "center", "transform": panel.transAxes, "zorder": 5}
            box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
            panel.text(0.5, 0.5, f"below the axis:\n{below[strategy]}", color=GREY, size=9, bbox=box, **middle)
    panels[0].set_ylim(low, high)
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
    pad = max(0.05 * (shown.max() - shown.min()), 0.002)
    return shown.min() - pad, shown.max() + pad


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


def _draw(panel: Axes, curves: pd.DataFrame, means: pd.DataFrame, strategy: str) -> None:
    blue = COLOURS["blue"]
    seeds = curves.groupby(["seed", "step"])["macro_f1"].mean().unstack("seed")
    panel.plot(means.index, means, color=LIGHT, linewidth=0.8)
    panel.plot(seeds.index, seeds, color=blue, linewidth=0.7, alpha=0.6)
    panel.plot(means.index, means[strategy], color=blue, linewidth=2)
    chosen = curves[curves["chosen"]]
    panel.scatter(chosen["step"], chosen["macro_f1"], s=24, marker="D", color=blue, edgecolor="white", zorder=5)
    panel.xaxis.set_major_locator(FixedLocator(_ticks(list(means.index))))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(axis="y")
