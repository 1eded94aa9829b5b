"""Whether probabilities keep what they say: likelihood, calibration errors, ranks, and reliability by confidence."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.classification import compute_probability_metrics
from bench.plotting.labels import label
from bench.plotting.style import COLOURS, GREY, LIGHT
from bench.records.record import Probabilities, Reliability
from bench.report.figures.task_figure import canvas
from bench.report.frame import Outcome, by_index
from bench.report.page.judged import Judged
from bench.report.page.part import Drawing, Part, Table
from bench.text.numbers import plain

TITLE = "Calibration"
_COLUMNS = {
    "brier": "Brier",
    "calibration_error": "ECE",
    "class_calibration_error": "class-wise error",
    "auroc": "AUROC",
    "average_precision": "average precision",
}
_ACROSS = 4
_FEW = 10
"""Labels of a bin, mean over seeds: seeds may share their labels, so that more seeds are not more evidence."""
_MEANING = (
    "NLL: mean negative log-likelihood a label. Brier: mean squared error of the probabilities, 0 to 2. ECE: mean distance "
    "between the likeliest class's probability and how often it is right; class-wise: the same for each class's probability, "
    "mean over classes. AUROC and average precision: one class against all others, mean over classes. Means over seeds."
)


def parts(judged: Judged) -> list[Part]:
    """A table of what probabilities are worth, and reliability curves where they were measured."""
    means = by_index(judged.results.means(judged.facts))
    if not means:
        return []
    found = {name: _probabilities(judged.outcomes[name]) for name in means}
    rows = [{"strategy": name, "NLL": plain(row["nll_mean"]), **_row(found[name])} for name, row in means.items()]
    table = Table(rows, judged.name("calibration"))
    pooled = {name: _pooled(each.reliability for each in of_seeds) for name, of_seeds in found.items() if of_seeds}
    if not pooled:
        return ["Reliability: not measured.", table]
    errors = {row["strategy"]: row["ECE"] for row in rows}
    alt = "Reliability, a panel a strategy; expected calibration error, mean over seeds: " + "; ".join(
        f"{name} {errors[name]}" for name in pooled
    )
    return [_MEANING, Drawing(_figure(judged, pooled, errors), judged.name("reliability"), alt), table]


def _probabilities(outcome: Outcome) -> list[Probabilities]:
    """Those of each seed on test; none if they were not measured at every seed."""
    shown = (record.evaluation("chosen", "test", outcome.row.adjustment) for record in outcome.records.values())
    found = [each.probabilities for each in shown if each.probabilities is not None]
    return found if len(found) == len(outcome.records) else []


def _row(of_seeds: list[Probabilities]) -> dict[str, str]:
    means = pd.DataFrame(list(map(compute_probability_metrics, of_seeds)), columns=list(_COLUMNS), dtype=float).mean()
    return {title: plain(means[name]) for name, title in _COLUMNS.items()}


def _pooled(of_seeds: Iterable[Reliability]) -> Reliability:
    """All seeds' labels together."""
    each = list(of_seeds)
    labels, confidence, correct = (
        np.sum([getattr(one, name) for one in each], axis=0).tolist() for name in ("labels", "confidence", "correct")
    )
    return Reliability(labels, confidence, correct)


def _figure(judged: Judged, pooled: dict[str, Reliability], errors: dict[str, str]) -> Figure:
    down = math.ceil(len(pooled) / _ACROSS)
    said = "Share that is right by the likeliest class's probability, labels of all seeds. Below the line: too sure. "
    said += f"Grey bars: share of the labels in each bin. Open, not joined: fewer than {_FEW} labels a seed. "
    said += "ECE: mean over seeds."
    names = [f"{label(name, width=26)}\nECE {errors[name]}" for name in pooled]
    lines = max(name.count("\n") for name in names)
    page = canvas(judged.results, judged.facts, "Reliability", [said], 0.5 + (1.8 + 0.15 * lines) * down)
    panels = page.subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    panels[0].set(xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    for panel, title, (name, found) in zip(panels, names, pooled.items(), strict=False):
        _draw(panel, found, seeds=len(judged.outcomes[name].records))
        panel.set_title(title, loc="left", size=8, y=1)
    for panel in panels[len(pooled) :]:
        panel.set_axis_off()
    for panel in panels[max(len(pooled) - _ACROSS, 0) : len(pooled)]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("probability")
    for panel in panels[::_ACROSS]:
        panel.set_ylabel("share right")
    return page


def _draw(panel: Axes, found: Reliability, seeds: int) -> None:
    labels = np.array(found.labels)
    bins, blue = len(labels), COLOURS["blue"]
    panel.bar(np.arange(bins) / bins, labels / labels.sum(), width=1 / bins, align="edge", color=LIGHT)
    panel.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    with np.errstate(invalid="ignore"):  # 0 / 0 of an empty bin is no point
        confidence, right = np.array(found.confidence) / labels, np.array(found.correct) / labels
    few = labels < _FEW * seeds
    panel.plot(confidence, np.where(few, np.nan, right), "o-", color=blue, markersize=3.5, linewidth=1.2)
    panel.plot(confidence[few], right[few], "o", markersize=3.5, markerfacecolor="white", markeredgecolor=blue)
