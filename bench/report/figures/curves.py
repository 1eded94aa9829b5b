"""Validation macro-F1 by step, a panel a strategy: has it stopped rising?"""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from bench.record import TaskFacts
from bench.report.figures.canvas import COLOURS, LIGHT, canvas, empty
from bench.report.figures.lettering import label
from bench.report.frame import Results
from bench.report.titles import NOTHING

TITLE = "Validation macro-F1 by step"
_ACROSS = 3


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Panels by macro-F1 on test, all with the same axes."""
    strategies = list(results.means(facts).index)
    if not strategies:
        return empty(results, facts, TITLE, NOTHING)
    down = math.ceil(len(strategies) / _ACROSS)
    said = [
        "Thick: mean over seeds. Thin: each seed. Circle: the checkpoint chosen; at the last step: not converged.",
        "Grey: means of the other strategies. Panels in the order of macro-F1 on test.",
    ]
    names = [label(strategy, width=34) for strategy in strategies]
    lines = max(name.count("\n") for name in names)
    page = canvas(results, facts, TITLE, said, 0.25 + (1.75 + 0.15 * lines) * down)
    panels = page.subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    curves = results.curves[results.curves["task"] == facts.task]
    means = curves.groupby(["strategy", "step"])["macro_f1"].mean().unstack("strategy")
    for panel, strategy, name in zip(panels, strategies, names, strict=False):
        _draw(panel, curves[curves["strategy"] == strategy], means, strategy)
        panel.set_title(name, loc="left", size=9)
    for panel in panels[len(strategies) :]:
        panel.set_axis_off()
    for panel in panels[max(len(strategies) - _ACROSS, 0) : len(strategies)]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("training step")
    for panel in panels[::_ACROSS]:
        panel.set_ylabel("macro-F1")
    return page


def _draw(panel: Axes, curves: pd.DataFrame, means: pd.DataFrame, strategy: str) -> None:
    blue = COLOURS["blue"]
    seeds = curves.groupby(["seed", "step"])["macro_f1"].mean().unstack("seed")
    panel.plot(means.index, means, color=LIGHT, linewidth=0.8)
    panel.plot(seeds.index, seeds, color=blue, linewidth=0.7, alpha=0.6)
    panel.plot(means.index, means[strategy], color=blue, linewidth=2)
    chosen = curves[curves["chosen"]]
    panel.scatter(chosen["step"], chosen["macro_f1"], s=22, color="white", edgecolor=blue, zorder=5)
    panel.xaxis.set_major_locator(MaxNLocator(3))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(axis="y")
