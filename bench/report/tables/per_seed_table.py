"""Every metric of every finished run on test, one number per line: what means, intervals and verdicts are computed from."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import pandas as pd

from bench.errors import InputError
from bench.metrics.classification import compute_metrics, compute_probability_metrics
from bench.metrics.metric import find_column
from bench.metrics.selection_metric import SelectionMetric
from bench.records.record import Evaluation
from bench.report.frame import StudyResults

COLUMNS = ["task", "learner", "strategy", "configuration", "seed", "metric", "value"]


def csv_table(results: StudyResults) -> pd.DataFrame:
    """Return a line per run and metric, in the study's order; post-hoc baselines are strategies like any other.

    Metrics are named as the columns of `quality.csv`, without `_mean`; the study's own metric has its name on the command line,
    where `quality.csv` has no column of it. Of a tuned strategy only the configuration that validation chose is listed, because
    nobody is to choose one by test. Runs of strategies that lack other seeds are listed too.
    """
    return pd.DataFrame(list(_lines(results)), columns=COLUMNS).astype({"seed": int, "value": float})


def _lines(results: StudyResults) -> Iterator[tuple[str, str, str, str, int, str, float]]:
    for facts in results.study.tasks:
        learner, metric = results.learner(facts), results.metrics[facts.task]
        for outcome in results.outcomes_of(facts):
            planned = outcome.planned
            for seed, record in outcome.records.items():
                evaluation = record.evaluation("chosen", "test", planned.adjustment)
                for name, value in _metrics(evaluation, metric).items():
                    yield facts.task, learner, planned.strategy, planned.configuration, seed, name, value


def _metrics(evaluation: Evaluation, selection_metric: SelectionMetric) -> dict[str, float]:
    """Return all metrics of an evaluation by name, as far as they are defined and were recorded."""
    metrics = compute_probability_metrics(evaluation) | compute_metrics(
        evaluation.confusion, evaluation.nll, evaluation.entities, evaluation.probabilities
    )
    if find_column(selection_metric.name) is None:
        with contextlib.suppress(InputError):  # the metric is not defined on this task, and the report says why
            metrics[selection_metric.name] = selection_metric.value(evaluation)
    return {name: value for name, value in metrics.items() if not math.isnan(value)}
