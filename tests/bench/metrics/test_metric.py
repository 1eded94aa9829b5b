"""The table of metrics agrees with what computes metrics, and with what thresholds can be tuned for."""

import subprocess
import sys
from typing import get_args

from bench.metrics.classification import compute_metrics
from bench.metrics.metric import DEFAULT, METRICS, SELECTABLE, TITLES, TUNABLE
from bench.records.record import EntityCounts
from strategies.adjust.threshold_metric import ThresholdMetric


def test_the_table_names_every_metric_of_an_evaluation_once():
    metrics = compute_metrics([[8, 2], [1, 1]], 0.5, {"PER": EntityCounts(1, 2, 3)})
    assert {metric.column for metric in METRICS} == metrics.keys() == TITLES.keys()
    assert len(METRICS) == len(metrics)


def test_thresholds_can_be_tuned_for_the_metrics_that_the_table_says():
    assert get_args(ThresholdMetric) == TUNABLE


def test_metrics_that_select_are_named_as_on_the_command_line():
    assert SELECTABLE == ("macro-f1", "balanced-accuracy", "worst-class-recall", "entity-f1")
    assert set(TUNABLE) <= set(SELECTABLE)
    assert DEFAULT == "macro-f1"


def test_the_table_is_read_without_torch_or_strategies():
    program = "import sys, bench.metrics.metric; sys.exit(any(name in sys.modules for name in ('torch', 'strategies')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
