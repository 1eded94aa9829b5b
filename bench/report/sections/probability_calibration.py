"""Whether predicted probabilities can be trusted: likelihood, calibration errors, ranks, and reliability by confidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.classification import compute_probability_metrics
from bench.plotting.panels import add_panels, row_count
from bench.plotting.style import COLOURS, GREY, LIGHT
from bench.plotting.text_labels import wrap_label
from bench.records.record import Evaluation, Reliability
from bench.report import wording
from bench.report.figures.task_figure import task_figure
from bench.report.frame import StrategyOutcome, rows_by_index
from bench.report.page_parts import Chart, Part, Table
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.text.numbers import format_number

TITLE = wording.CALIBRATION
_COLUMNS = {
    "brier": "Brier",
    "calibration_error": "ECE",
    "class_calibration_error": "class-wise error",
    "auroc": "AUROC",
    "average_precision": "average precision",
}
_ACROSS = 4
_FEWEST_LABELS = 10
"""Labels of a bin, mean over seeds: seeds may share their labels, so more seeds are not more evidence."""


def build(task: TaskResults) -> list[Part]:
    """Return calibration errors as a table, and reliability curves where probabilities were measured."""
    means = rows_by_index(task.results.means(task.facts))
    if not means:
        return []
    evaluations = {name: _evaluations(task.outcomes[name]) for name in means}
    rows = [
        {"strategy": display_name(name), "NLL": format_number(row["nll_mean"]), **_errors(evaluations[name])}
        for name, row in means.items()
    ]
    table = Table(rows, task.part_name("calibration"))
    reliabilities = {
        name: [seed.probabilities.reliability for seed in by_seed if seed.probabilities is not None]
        for name, by_seed in evaluations.items()
    }
    curves = {name: _pool(by_seed) for name, by_seed in reliabilities.items() if by_seed}
    if not curves:
        return [wording.CALIBRATION_MISSING, table]
    errors = {name: row["ECE"] for name, row in zip(means, rows, strict=True)}
    listed = "; ".join(f"{display_name(name)} {errors[name]}" for name in curves)
    alt = wording.CALIBRATION_ALT.format(errors=listed)
    return [wording.CALIBRATION_LEAD, Chart(_figure(task, curves, errors), task.part_name("reliability"), alt), table]


def _evaluations(outcome: StrategyOutcome) -> list[Evaluation]:
    """Return the evaluation of each seed on test; an empty list if probabilities were not measured for every seed."""
    evaluations = [
        record.evaluation("chosen", "test", outcome.planned.adjustment) for record in outcome.records.values()
    ]
    return evaluations if all(evaluation.probabilities is not None for evaluation in evaluations) else []


def _errors(by_seed: list[Evaluation]) -> dict[str, str]:
    means = pd.DataFrame(list(map(compute_probability_metrics, by_seed)), columns=list(_COLUMNS), dtype=float).mean()
    return {title: format_number(means[name]) for name, title in _COLUMNS.items()}


def _pool(curves: list[Reliability]) -> Reliability:
    """Return the labels of all seeds as one reliability curve."""
    labels, confidence, correct = (
        np.sum([getattr(curve, name) for curve in curves], axis=0).tolist()
        for name in ("labels", "confidence", "correct")
    )
    return Reliability(labels, confidence, correct)


def _figure(task: TaskResults, curves: dict[str, Reliability], errors: dict[str, str]) -> Figure:
    down = row_count(len(curves), _ACROSS)
    lead = wording.CALIBRATION_FIGURE.format(fewest=_FEWEST_LABELS)
    titles = [f"{wrap_label(display_name(name), width=26)}\nECE {errors[name]}" for name in curves]
    lines = max(title.count("\n") for title in titles)
    page = task_figure(task.results, task.facts, "Reliability", [lead], 0.5 + (1.8 + 0.15 * lines) * down)
    panels = add_panels(page, len(curves), across=_ACROSS, xlabel="probability", ylabel="share correct")
    panels[0].set(xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    for panel, title, (name, curve) in zip(panels, titles, curves.items(), strict=True):
        _draw(panel, curve, seeds=len(task.outcomes[name].records))
        panel.set_title(title, loc="left", size=8, y=1)
    return page


def _draw(panel: Axes, curve: Reliability, seeds: int) -> None:
    labels = np.array(curve.labels)
    bins, blue = len(labels), COLOURS["blue"]
    panel.bar(np.arange(bins) / bins, labels / labels.sum(), width=1 / bins, align="edge", color=LIGHT)
    panel.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    with np.errstate(invalid="ignore"):  # an empty bin is 0 / 0, and not drawn
        confidence, correct = np.array(curve.confidence) / labels, np.array(curve.correct) / labels
    has_few = labels < _FEWEST_LABELS * seeds
    panel.plot(confidence, np.where(has_few, np.nan, correct), "o-", color=blue, markersize=3.5, linewidth=1.2)
    panel.plot(
        confidence[has_few], correct[has_few], "o", markersize=3.5, markerfacecolor="white", markeredgecolor=blue
    )
