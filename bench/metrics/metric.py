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
    needs: Literal["confusion", "entities", "probabilities"] = "confusion"
    """The part of an evaluation that it is computed from."""
    binary: bool = False
    """Whether it is that of the positive class of a task with two classes: the one with fewer labels in training."""
    argument: str = ""
    """Of a metric with an argument: the one that tables show."""
    tunable: bool = False
    """Whether per-class thresholds can be tuned for it (`strategies.adjust.threshold_metric`)."""

    @property
    def name(self) -> str:
        """Its name on the command line.

        >>> METRICS[0].name
        'macro-f1'
        """
        return self.column.replace("_", "-") + (f"({self.argument})" if self.argument else "")


METRICS = (
    Metric("macro_f1", "macro-F1", selectable=True, tunable=True),
    Metric("macro_f1_minority", "macro-F1 without majority"),
    Metric("accuracy", "accuracy"),
    Metric("balanced_accuracy", "balanced accuracy", selectable=True, tunable=True),
    Metric("worst_class_recall", "worst-class recall", selectable=True, tunable=True),
    Metric("positive_f1", "positive F1", selectable=True, binary=True),
    Metric("average_precision", "average precision", selectable=True, binary=True, needs="probabilities"),
    Metric(
        *("recall_at_precision", "recall at precision 0.9"),
        selectable=True,
        binary=True,
        needs="probabilities",
        argument="0.9",
    ),
    Metric("entity_precision", "entity precision", needs="entities"),
    Metric("entity_recall", "entity recall", needs="entities"),
    Metric("entity_f1", "entity F1", selectable=True, needs="entities"),
    Metric("nll", "NLL", direction="down"),
    Metric("calibration_error", "ECE", direction="down", needs="probabilities"),
)
"""All metrics of the quality table, in the order of its columns."""

_COLUMNS = {metric.name: metric.column for metric in METRICS}

TITLES = {metric.column: metric.title for metric in METRICS}
SELECTABLE = tuple(metric.name for metric in METRICS if metric.selectable)
TUNABLE = tuple(metric.name for metric in METRICS if metric.tunable)
DEFAULT = SELECTABLE[0]
"""What strategies are compared by unless a suite or the command line says differently."""


def find_column(name: str) -> str | None:
    """Return the column of a metric's name, None where tables have none.

    >>> find_column("macro-f1"), find_column("recall-at-precision(0.8)")
    ('macro_f1', None)
    """
    return _COLUMNS.get(name)


def find_title(name: str) -> str:
    """Return the title of a metric's name, also of one that tables do not show.

    >>> find_title("macro-f1"), find_title("recall-at-precision(0.8)"), find_title("cost (costs.csv)")
    ('macro-F1', 'recall at precision 0.8', 'cost (costs.csv)')
    """
    if (column := find_column(name)) is not None:
        return TITLES[column]
    function, _, argument = name.rstrip(")").partition("(")
    for metric in METRICS:
        if metric.argument and metric.name == f"{function}({metric.argument})":
            return metric.title.replace(metric.argument, argument)
    return name
