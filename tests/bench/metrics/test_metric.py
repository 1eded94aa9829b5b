"""The table of metrics agrees with what computes metrics, and with what thresholds can be tuned for."""

import subprocess
import sys
from typing import get_args

from bench.metrics.classification import compute_metrics
from bench.metrics.metric import DEFAULT, METRICS, SELECTABLE, TITLES, TUNABLE, find_column
from bench.records.record import EntityCounts, Probabilities, Reliability
from strategies.adjust.threshold_metric import ThresholdMetric


def test_the_table_names_every_metric_of_an_evaluation_once():
    probabilities = Probabilities(
        0.1, Reliability([1], [0.9], [1]), [0.1, 0.1], [0.9, 0.9], [0.9, 0.8], [2] * 50 + [1] * 50
    )
    metrics = compute_metrics([[8, 2], [1, 1]], 0.5, {"PER": EntityCounts(1, 2, 3)}, probabilities)
    assert {metric.column for metric in METRICS} == metrics.keys() == TITLES.keys()
    assert len(METRICS) == len(metrics)


def test_thresholds_can_be_tuned_for_the_metrics_that_the_table_says():
    assert get_args(ThresholdMetric) == TUNABLE


def test_metrics_that_select_are_named_as_on_the_command_line():
    assert (
        *("macro-f1", "balanced-accuracy", "worst-class-recall"),
        *("positive-f1", "average-precision", "recall-at-precision(0.9)", "entity-f1"),
    ) == SELECTABLE
    assert [find_column(name) for name in SELECTABLE] == [each.column for each in METRICS if each.selectable]
    assert set(TUNABLE) <= set(SELECTABLE)
    assert DEFAULT == "macro-f1"


def test_the_table_is_read_without_torch_or_strategies():
    program = "import sys, bench.metrics.metric; sys.exit(any(name in sys.modules for name in ('torch', 'strategies')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
