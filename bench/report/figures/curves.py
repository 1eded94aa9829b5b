"""Validation macro-F1 by step, a panel a strategy: has it stopped rising?"""

from __future__ import annotations

import math

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from bench.record import TaskFacts
from bench.report.figures.canvas import COLOURS, LIGHT, canvas, empty
from bench.report.frame import Results
from bench.report.text import label
from bench.report.titles import NOTHING

TITLE = "Validation macro-F1 by step"
_ACROSS = 3


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Panels by macro-F1 on test, all with the same axes."""
    strategies = list(results.means(facts).index)
    if not strategies:
        return empty(results, facts, TITLE, NOTHING)
    down = math.ceil(len(strategies) / _ACROSS)
    said = "Thick: mean over seeds; thin: each seed; circle: the checkpoint it chose. Grey: the means of the other strategies."
    page = canvas(results, facts, TITLE, [said], 0.4 + 1.75 * down)
    panels = page.subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    curves = results.curves[results.curves["task"] == facts.task]
    for panel, strategy in zip(panels, strategies, strict=False):
        _draw(panel, curves, strategy)
    for panel in panels[len(strategies) :]:
        panel.set_axis_off()
    for panel in panels[max(len(strategies) - _ACROSS, 0) : len(strategies)]:
        panel.tick_params(labelbottom=True)
    page.supxlabel("training step", size=9.5)
    page.supylabel("macro-F1", size=9.5)
    return page


def _draw(panel: Axes, curves: pd.DataFrame, strategy: str) -> None:
    own = curves["strategy"] == strategy
    shared = {"x": "step", "y": "macro_f1", "ax": panel, "legend": False, "estimator": None, "errorbar": None}
    mean = curves.groupby(["strategy", "step"], sort=False)["macro_f1"].mean().reset_index()
    others = mean[mean["strategy"] != strategy]
    sns.lineplot(others, units="strategy", color=LIGHT, linewidth=0.8, zorder=2, **shared)
    sns.lineplot(curves[own], units="seed", color=COLOURS["blue"], linewidth=0.7, alpha=0.6, zorder=3, **shared)
    sns.lineplot(mean[mean["strategy"] == strategy], color=COLOURS["blue"], linewidth=2, zorder=4, **shared)
    chosen = curves[own & curves["chosen"]]
    panel.scatter(chosen["step"], chosen["macro_f1"], s=22, color="white", edgecolor=COLOURS["blue"], zorder=5)
    panel.set_title(label(strategy, width=34, lines=2), loc="left", size=9)
    panel.set(xlabel="", ylabel="")
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panel.grid(axis="y")
