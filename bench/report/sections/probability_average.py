"""The average of the baseline's and each remedy's probabilities: what two models of the same seed gain together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.records.predictions import PredictedClasses
from bench.records.record import RAW, VALIDATION_LABELS_ADDED, Evaluation
from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE, display_name
from bench.stats import Verdict, compare
from bench.text.numbers import format_number, format_signed

TITLE = wording.AVERAGE
_TOGETHER = "average"


def build(task: TaskResults) -> list[Part]:
    """Return the average of each trained remedy with the baseline, against both; nothing where probabilities were not kept."""
    if task.metric.needs_entities or task.metric.needs_probabilities:
        return []
    rows = [_row(task, strategy, values) for strategy, values in average_with_baseline(task).items()]
    if not rows:
        return []
    best_first = sorted(rows, key=lambda row: float(row[task.metric_title]), reverse=task.metric.direction == "up")
    return [wording.AVERAGE_LEAD, Table(best_first, task.part_name("average"))]


def average_with_baseline(task: TaskResults) -> dict[str, pd.Series[float]]:
    """Return the metric by seed of each trained strategy's average with the baseline, where every seed's probabilities were kept.

    Their metric has to be one that is computed from predicted classes.
    """
    if BASELINE not in task.means:
        return {}
    baseline = {seed: task.results.predictions(record.id) for seed, record in task.outcomes[BASELINE].records.items()}
    averages = {}
    for strategy in _trained(task):
        by_seed = {
            seed: _average(task, baseline.get(seed), task.results.predictions(record.id))
            for seed, record in task.outcomes[strategy].records.items()
        }
        values = pd.Series(by_seed, dtype=float)
        if values.notna().all():
            averages[strategy] = values
    return averages


def _trained(task: TaskResults) -> Iterator[str]:
    """Yield the complete strategies with runs of their own, whose logits are not adjusted."""
    for strategy in task.values.index:
        is_trained = strategy not in (BASELINE, VALIDATION_LABELS_ADDED)
        if is_trained and strategy in task.means and task.outcomes[strategy].planned.adjustment == RAW:
            yield strategy


def _average(task: TaskResults, one: PredictedClasses | None, other: PredictedClasses | None) -> float:
    """Return the metric of two runs' mean probabilities; NaN where they were not kept, or are of different labels."""
    if one is None or other is None or one.probabilities is None or other.probabilities is None:
        return np.nan
    if not np.array_equal(one.truth.classes, other.truth.classes):
        return np.nan
    mean = (one.probabilities.astype(np.float32) + other.probabilities.astype(np.float32)) / 2
    C = one.truth.num_classes
    confusion = np.bincount(one.truth.classes.astype(np.int64) * C + mean.argmax(1), minlength=C * C).reshape(C, C)
    return task.metric.value(Evaluation("chosen", "test", confusion.tolist(), np.nan))


def _row(task: TaskResults, strategy: str, values: pd.Series[float]) -> dict[str, str]:
    return {
        "strategy": display_name(strategy),
        task.metric_title: format_number(float(values.mean())),
        **_cells(f"to {display_name(BASELINE)}: ", _compare(task, values, BASELINE)),
        **_cells("to the remedy alone: ", _compare(task, values, strategy)),
    }


def _compare(task: TaskResults, values: pd.Series[float], alone: str) -> Verdict:
    table = pd.DataFrame([values, task.values.loc[alone].reindex(values.index)], index=[_TOGETHER, alone])
    comparison = compare(
        table,
        baseline=alone,
        primary=[],
        split=task.split,
        direction=task.metric.direction,
        margin=task.margin,
    )
    return comparison.verdicts[0]


def _cells(prefix: str, verdict: Verdict) -> dict[str, str]:
    numbers = {name: format_signed(getattr(verdict, name)) for name in ("difference", "low", "high")}
    return {f"{prefix}{name}": text for name, text in {**numbers, "verdict": verdict.outcome}.items()}
