"""What recall costs in precision, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.panels import add_panels, row_count
from bench.plotting.style import COLOURS, GREY, INK, LIGHT
from bench.plotting.text_labels import wrap_label
from bench.report import wording
from bench.report.figures.task_figure import describe_test, task_figure
from bench.report.page_parts import Chart, Part
from bench.report.recommendation import Recommendation
from bench.report.task_results import TaskResults, adjustment_name
from bench.report.titles import BASELINE, display_name

TITLE = wording.PRECISION_RECALL
_ACROSS, _MOST_CLASSES = 4, 12
_MARKER_COLOURS = [INK, *(COLOURS[name] for name in ("blue", "vermilion", "green", "purple"))]
_LOOKS: list[dict[str, Any]] = [
    {"color": colour, "marker": marker, "markersize": 7, "markeredgecolor": "white", "linestyle": "none"}
    for colour, marker in zip(_MARKER_COLOURS, "sDo^v", strict=True)
]


def build(task: TaskResults, recommendation: Recommendation | None) -> list[Part]:
    """Return one panel per class; the numbers are in the table of recall and precision by class."""
    by_class = task.results.by_class(task.facts)
    if by_class.empty:
        return []
    marked = {
        name: f"{display_name(name)} ({', '.join(reasons)})" if reasons else display_name(name)
        for name, reasons in _choose_marked(task, recommendation, by_class).items()
    }
    alt = wording.PRECISION_RECALL_ALT.format(strategies="; ".join(marked.values()))
    return [Chart(_figure(task, by_class, marked), task.part_name("precision-recall"), alt)]


def _choose_marked(
    task: TaskResults, recommendation: Recommendation | None, by_class: pd.DataFrame
) -> dict[str, list[str]]:
    """Return the strategies that stand out, filled up to five by the metric, with the reasons."""
    means = by_class[["recall_mean", "precision_mean"]].groupby(level="strategy", sort=False).mean()
    planned = {name: task.outcomes[name].planned for name in means.index}
    # Thresholds count whatever metric they are tuned for: `thresholds`, `thresholds(balanced-accuracy)`.
    thresholds = [
        name
        for name, row in planned.items()
        if row.trained_as == BASELINE and adjustment_name(row.adjustment) == "thresholds"
    ]
    marked: dict[str, list[str]] = {BASELINE: []} if BASELINE in means.index else {}
    for name, reason in [
        *([(recommendation.best.strategy, wording.MARKED_BEST)] if recommendation else []),
        *((name, wording.MARKED_THRESHOLDS) for name in thresholds[:1]),
        (str(means["recall_mean"].idxmax()), wording.MARKED_RECALL),
        (str(means["precision_mean"].idxmax()), wording.MARKED_PRECISION),
    ]:
        marked.setdefault(name, []).append(reason)
    others = [str(name) for name in task.means.index if name not in marked]
    next_best = wording.MARKED_NEXT.format(metric=task.metric_title)
    return marked | {name: [next_best] for name in others[: len(_LOOKS) - len(marked)]}


def _choose_classes(classes: list[str]) -> list[str]:
    """Return all classes, or four each from head, middle and tail."""
    if len(classes) <= _MOST_CLASSES:
        return classes
    middle, third = len(classes) // 2, _MOST_CLASSES // 3
    return [*classes[:third], *classes[middle - third // 2 : middle - third // 2 + third], *classes[-third:]]


def _figure(task: TaskResults, by_class: pd.DataFrame, marked: dict[str, str]) -> Figure:
    classes = _choose_classes(task.facts.class_names)
    down = row_count(len(classes), _ACROSS)
    lines = [f"{describe_test(task.results, task.facts)} {wording.PRECISION_RECALL_FIGURE}"]
    if len(classes) < len(task.facts.class_names):
        lines.append(wording.PRECISION_RECALL_CLASSES.format(count=len(classes), classes=len(task.facts.class_names)))
    names = [wrap_label(name, width=58) for name in marked.values()]
    height = 0.5 + 2.2 * down + 0.2 * len(names)
    page = task_figure(task.results, task.facts, "Precision against recall by class", lines, height)
    panels = add_panels(page, len(classes), across=_ACROSS, xlabel="recall", ylabel="precision")
    panels[0].set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    for panel, class_name in zip(panels, classes, strict=True):
        panel.set_title(wrap_label(class_name, width=24), loc="left", size=9, y=1)
        panel.set_aspect("equal")
        of_class = by_class[by_class.index.get_level_values("class") == class_name].droplevel("class")
        _draw(panel, of_class, list(marked))
    handles = [panels[0].plot([], [], label=name, **look)[0] for name, look in zip(names, _LOOKS, strict=False)]
    others = panels[0].plot([], [], "o", markersize=4, color=GREY, alpha=0.6, label=wording.OTHER_STRATEGIES)
    page.legend(handles=[*handles, *others], loc="outside lower center", ncols=2, frameon=False)
    return page


def _draw(panel: Axes, of_class: pd.DataFrame, marked: list[str]) -> None:
    recall = np.linspace(0.01, 1, 100)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        possible = recall[recall > f1 / (2 - f1)]
        panel.plot(possible, f1 * possible / (2 * possible - f1), color=LIGHT, linewidth=0.7)
    others = of_class.drop(index=[name for name in marked if name in of_class.index])
    panel.plot(others["recall_mean"], others["precision_mean"], "o", markersize=4, color=GREY, alpha=0.6)
    for name, look in zip(marked, _LOOKS, strict=False):
        point = of_class.loc[name]
        panel.plot(point["recall_mean"], point["precision_mean"], **look)
