"""How the recommended remedy would do on other test sentences: a bootstrap of the predictions of the same runs."""

from __future__ import annotations

import numpy as np

from bench.records.predictions import PredictionsOf
from bench.records.record import RAW, Record
from bench.report.recommendation import Recommendation
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE
from bench.stats import Interval, macro_f1_intervals
from bench.stats.bootstrap import Counts


def resample_test_sentences(task: TaskResults, recommendation: Recommendation | None) -> list[Interval]:
    """Return bootstrap intervals of the best remedy's macro-F1 minus the baseline's: all seeds together, then each seed.

    The list is empty where there is nothing to resample: no recommendation, seeds that split the data anew, another metric
    than macro-F1, or predictions that were not kept.
    """
    if recommendation is None or not can_resample(task):
        return []
    predictions = task.results.predictions
    outcome, baseline = task.outcomes[recommendation.best.strategy], task.outcomes[BASELINE].records
    ours = [_counts(predictions, record, outcome.planned.adjustment) for record in outcome.records.values()]
    theirs = [_counts(predictions, baseline[seed], RAW) for seed in outcome.records]
    if any(counts is None for counts in (*ours, *theirs)):
        return []
    return macro_f1_intervals(ours, theirs, rng=np.random.default_rng(0))


def can_resample(task: TaskResults) -> bool:
    """Whether all seeds share one test part, and the metric is one that the bootstrap computes."""
    return task.split == "fixed" and task.metric.name == "macro-f1"


def _counts(predictions: PredictionsOf, record: Record, adjustment: str) -> Counts | None:
    """Return the confusion counts of each test sentence; None where predictions were not kept."""
    kept = predictions(record.id)
    return None if kept is None or adjustment not in kept.classes else kept.counts(adjustment)
