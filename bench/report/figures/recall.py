"""Recall by class as a heat map, head classes first."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from bench.record import TaskFacts
from bench.report.figures.canvas import WIDTH, budget, canvas, empty
from bench.report.frame import Results
from bench.report.text import NONE, label
from bench.report.titles import NOTHING

TITLE = "Recall by class"


def figure(results: Results, facts: TaskFacts) -> Figure:
    """Strategies by macro-F1 from the top down; cells are means over seeds."""
    means = results.means(facts)
    if means.empty:
        return empty(results, facts, TITLE, NOTHING)
    recall = results.by_class(facts)["recall_mean"].unstack("class").loc[means.index, facts.class_names]
    names = [label(str(strategy), width=26) for strategy in recall.index]
    said = (
        "Mean over seeds. Strategies by macro-F1; classes from left to right by their labels in training, in brackets."
    )
    height = 1.3 + sum(0.16 + 0.16 * (name.count("\n") + 1) for name in names)
    page = canvas(results, facts, TITLE, [f"{budget(results, facts)} {said}"], height)
    axes = page.add_subplot()
    bar = {"label": "recall", "pad": 0.02, "fraction": 0.04}
    sns.heatmap(recall, ax=axes, cmap="cividis", vmin=0, vmax=1, linewidths=1, cbar_kws=bar)
    _annotate(axes, recall.to_numpy())
    axes.set(xlabel="", ylabel="")
    return page
