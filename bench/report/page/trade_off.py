"""What recall costs in precision, class by class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.labels import label
from bench.plotting.style import COLOURS, GREY, INK, LIGHT
from bench.report.figures.task_figure import budget, canvas
from bench.report.frame import PLAIN
from bench.report.page.judged import Judged, kind
from bench.report.page.part import Drawing, Part

TITLE = "Precision against recall by class"
_ACROSS, _MOST = 4, 12
_COLOURED = [INK, *(COLOURS[name] for name in ("blue", "vermilion", "green", "purple"))]
_LOOKS: list[dict[str, Any]] = [
    {"color": colour, "marker": marker, "markersize": 7, "markeredgecolor": "white", "linestyle": "none"}
    for colour, marker in zip(_COLOURED, "sDo^v", strict=True)
]


def parts(judged: Judged) -> list[Part]:
    """A panel a class; the numbers are in the table by class."""
    found = judged.results.by_class(judged.facts)
    if found.empty:
        return []
    marked = _marked(judged, found)
    named = [f"{name} ({', '.join(why)})" if why else name for name, why in marked.items()]
    alt = (
        "Precision against recall, a panel a class, a point a strategy: up is fewer false alarms, right is fewer misses. "
        f"Named: {'; '.join(named)}. The numbers are in the table by class."
    )
    return [Drawing(_figure(judged, found, dict(zip(marked, named, strict=True))), judged.name("trade-off"), alt)]


def _marked(judged: Judged, found: pd.DataFrame) -> dict[str, list[str]]:
    """The strategies that stand out from the others, filled up to five by the objective, and why."""
    chosen = judged.chosen
    means = found[["recall_mean", "precision_mean"]].groupby(level="strategy", sort=False).mean()
    rows = {name: judged.outcomes[name].row for name in means.index}
    # Whatever they are tuned for: `thresholds`, `thresholds(balanced-accuracy)`.
    adjusted = {name: kind(row.adjustment) for name, row in rows.items() if row.trained_as == PLAIN}
    free = [name for name, adjustment in adjusted.items() if adjustment == "thresholds"]
    marked: dict[str, list[str]] = {PLAIN: []} if PLAIN in means.index else {}
    for name, why in [
        *([(chosen.verdict.strategy, "best of the family")] if chosen else []),
        *((name, "free thresholds") for name in free[:1]),
        (str(means["recall_mean"].idxmax()), "highest mean recall"),
        (str(means["precision_mean"].idxmax()), "highest mean precision"),
    ]:
        marked.setdefault(name, []).append(why)
    others = [str(name) for name in judged.means.index if name not in marked]
    return marked | {name: [f"next by {judged.metric.name}"] for name in others[: len(_LOOKS) - len(marked)]}


def _shown(classes: list[str]) -> list[str]:
    """All classes, or four each from head, middle and tail."""
    if len(classes) <= _MOST:
        return classes
    middle, third = len(classes) // 2, _MOST // 3
    return [*classes[:third], *classes[middle - third // 2 : middle - third // 2 + third], *classes[-third:]]


def _figure(judged: Judged, found: pd.DataFrame, marked: dict[str, str]) -> Figure:
    classes = _shown(judged.facts.class_names)
    down = math.ceil(len(classes) / _ACROSS)
    said = [f"{budget(judged.results, judged.facts)} Point: a strategy, mean over seeds. Lines: equal F1."]
    if len(classes) < len(judged.facts.class_names):
        said.append(f"{len(classes)} of {len(judged.facts.class_names)} classes: head, middle and tail.")
    names = [label(each, width=58) for each in marked.values()]
    height = 0.5 + 2.2 * down + 0.2 * len(names)
    page = canvas(judged.results, judged.facts, "Precision against recall by class", said, height)
    panels = page.subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    panels[0].set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    for panel, of_class in zip(panels, classes, strict=False):
        panel.set_title(label(of_class, width=24), loc="left", size=9, y=1)
        panel.set_aspect("equal")
        _draw(panel, found[found.index.get_level_values("class") == of_class].droplevel("class"), list(marked))
    for panel in panels[len(classes) :]:
        panel.set_axis_off()
    for panel in panels[max(len(classes) - _ACROSS, 0) : len(classes)]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("recall")
    for panel in panels[::_ACROSS]:
        panel.set_ylabel("precision")
    handles = [panels[0].plot([], [], label=name, **look)[0] for name, look in zip(names, _LOOKS, strict=False)]
    others = panels[0].plot([], [], "o", markersize=4, color=GREY, alpha=0.6, label="other strategies")
    page.legend(handles=[*handles, *others], loc="outside lower center", ncols=2, frameon=False)
    return page


def _draw(panel: Axes, found: pd.DataFrame, marked: list[str]) -> None:
    recall = np.linspace(0.01, 1, 100)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        shown = recall[recall > f1 / (2 - f1)]
        panel.plot(shown, f1 * shown / (2 * shown - f1), color=LIGHT, linewidth=0.7)
    others = found.drop(index=[each for each in marked if each in found.index])
    panel.plot(others["recall_mean"], others["precision_mean"], "o", markersize=4, color=GREY, alpha=0.6)
    for name, look in zip(marked, _LOOKS, strict=False):
        point = found.loc[name]
        panel.plot(point["recall_mean"], point["precision_mean"], **look)
