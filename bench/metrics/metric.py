"""The table of metrics: every other list of metrics (columns, titles, choices of the command line) is derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down"]
"""Whether more is better, or less."""


@dataclass(frozen=True)
class Metric:
    """One metric of an evaluation."""

    column: str
    """Its name in CSV files and in `bench.metrics.classification.compute_metrics`."""
    title: str
    """Its name in tables, figures and text."""
    direction: Direction = "up"
    selectable: bool = False
    """Whether `--metric` accepts it: strategies can be compared by it."""
    tunable: bool = False
    """Whether per-class thresholds can be tuned for it (`strategies.adjust.threshold_metric`)."""

    @property
    def name(self) -> str:
        """Its name on the command line.

        >>> METRICS[0].name
        'macro-f1'
        """
        return self.column.replace("_", "-")


METRICS = (
    Metric("macro_f1", "macro-F1", selectable=True, tunable=True),
    Metric("macro_f1_minority", "macro-F1 without majority"),
    Metric("accuracy", "accuracy"),
    Metric("balanced_accuracy", "balanced accuracy", selectable=True, tunable=True),
    Metric("worst_class_recall", "worst-class recall", selectable=True, tunable=True),
    Metric("entity_precision", "entity precision"),
    Metric("entity_recall", "entity recall"),
    Metric("entity_f1", "entity F1", selectable=True),
    Metric("nll", "NLL", direction="down"),
)
"""All metrics of the quality table, in the order of its columns."""

TITLES = {metric.column: metric.title for metric in METRICS}
SELECTABLE = tuple(metric.name for metric in METRICS if metric.selectable)
TUNABLE = tuple(metric.name for metric in METRICS if metric.tunable)
DEFAULT = SELECTABLE[0]
"""What strategies are compared by unless a suite or the command line says differently."""
