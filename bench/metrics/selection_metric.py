"""The metric that decides between strategies and checkpoints: one by name, or the mean cost per label by a cost matrix."""

from __future__ import annotations

import csv
import difflib
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import InputError
from bench.metrics.classification import compute_metrics, recall_at_precision
from bench.metrics.metric import DEFAULT, METRICS, SELECTABLE, Direction, Metric
from bench.records.record import Evaluation

__all__ = ["DEFAULT", "MACRO_F1", "SELECTABLE", "Direction", "SelectionMetric", "parse_metric"]

_BY_NAME = {metric.name: metric for metric in METRICS if metric.selectable}
_RECALL_AT_PRECISION = re.compile(r"recall-at-precision(?:\((?P<precision>.*)\))?")


@dataclass(frozen=True)
class SelectionMetric(ABC):
    """How strategies, and the checkpoints of a run, are compared."""

    name: str
    direction: Direction

    needs_entities = False
    """Whether `value` reads the evaluation's entities."""
    needs_probabilities = False
    """Whether `value` reads the evaluation's probabilities."""
    is_share = True
    """Whether its values lie between 0 and 1."""

    @abstractmethod
    def value(self, evaluation: Evaluation) -> float:
        """Return the metric of an evaluation; raises an InputError if it is not defined there, or was not recorded."""

    @property
    def identity(self) -> str:
        """What the ids of runs know it by: equal if it chooses equal checkpoints, wherever a file of costs lies."""
        return self.name

    def is_better(self, value: float, other: float) -> bool:
        """Whether a value is better than another one.

        >>> MACRO_F1.is_better(0.8, 0.7)
        True
        """
        return value > other if self.direction == "up" else value < other


@dataclass(frozen=True)
class _TableMetric(SelectionMetric):
    """A metric of the table of metrics."""

    metric: Metric

    @property
    def needs_entities(self) -> bool:  # type: ignore[override]
        return self.metric.needs == "entities"

    @property
    def needs_probabilities(self) -> bool:  # type: ignore[override]
        return self.metric.needs == "probabilities"

    def value(self, evaluation: Evaluation) -> float:
        if self.metric.needs == "entities" and evaluation.entities is None:
            raise InputError(f"metric {self.name}: this task has no entities; {_others(self.metric)}")
        if self.metric.needs == "probabilities" and evaluation.probabilities is None:
            raise _not_recorded(self.name)
        values = compute_metrics(evaluation.confusion, evaluation.nll, evaluation.entities, evaluation.probabilities)
        if self.metric.column not in values:
            raise _one_class(self.name)
        return values[self.metric.column]


@dataclass(frozen=True)
class _RecallAtPrecision(SelectionMetric):
    """The highest recall of the positive class at a precision of at least so many percent."""

    percent: int
    needs_probabilities = True

    def value(self, evaluation: Evaluation) -> float:
        if evaluation.probabilities is None or evaluation.probabilities.found_at_precision is None:
            raise _not_recorded(self.name)
        recall = recall_at_precision(evaluation.confusion, evaluation.probabilities, self.percent)
        if recall is None:
            raise _one_class(self.name)
        return recall


@dataclass(frozen=True)
class _MeanCost(SelectionMetric):
    """The mean cost per label, by `costs[truth][predicted]`, classes head first."""

    costs: tuple[tuple[float, ...], ...]
    is_share = False

    def value(self, evaluation: Evaluation) -> float:
        counts = np.asarray(evaluation.confusion, dtype=np.float64)
        return float((counts * np.array(self.costs)).sum() / counts.sum())

    @property
    def identity(self) -> str:
        return f"cost {hashlib.sha256(repr(self.costs).encode()).hexdigest()[:12]}"


def _others(metric: Metric) -> str:
    others = ", ".join(other for other in SELECTABLE if other != metric.name)
    return f"give {others}, or leave the task out"


def _not_recorded(name: str) -> InputError:
    return InputError(
        f"metric {name}: not recorded, because an earlier version trained these runs; remove their records to train them again, "
        "or give another metric"
    )


def _one_class(name: str) -> InputError:
    return InputError(f"metric {name}: not defined without labels of both classes")


MACRO_F1: SelectionMetric = _TableMetric(METRICS[0].name, METRICS[0].direction, METRICS[0])
"""What chooses unless a study says differently."""


def parse_metric(text: str, class_names: Sequence[str]) -> SelectionMetric:
    """Return the metric that `text` names, or the mean cost by the cost matrix in the CSV file at this path.

    The file's first line and first column name the task's classes in any order; a row is a true class, a column a predicted
    one, a cell the cost of one such label. Metrics of the positive class are those of tasks with two classes: it is the one with
    fewer labels in training, the second of `class_names`. Raises an InputError for anything else.

    >>> parse_metric("recall-at-precision(0.75)", ["genuine", "fraud"]).name
    'recall-at-precision(0.75)'
    """
    if (match := _RECALL_AT_PRECISION.fullmatch(text)) is not None:
        _check_binary(text, class_names)
        percent = _parse_percent(text, match["precision"])
        return _RecallAtPrecision(f"recall-at-precision({percent / 100:g})", "up", percent)
    if (metric := _BY_NAME.get(text)) is not None:
        if metric.binary:
            _check_binary(text, class_names)
        return _TableMetric(text, metric.direction, metric)
    path = Path(text)
    if not path.is_file():
        near = difflib.get_close_matches(text.lower(), SELECTABLE, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"unknown metric {text!r}; {hint}give {', '.join(SELECTABLE)}, or the path of a CSV file of costs"
        )
    costs = tuple(map(tuple, _read_costs(path, class_names).tolist()))
    return _MeanCost(f"cost ({path.name})", "down", costs)


def _check_binary(text: str, class_names: Sequence[str]) -> None:
    if len(class_names) != 2:
        others = ", ".join(metric.name for metric in _BY_NAME.values() if not metric.binary)
        raise InputError(
            f"metric {text}: only for tasks with two classes, and this one has {len(class_names)}; give {others}, or leave the "
            "task out"
        )


def _parse_percent(text: str, precision: str | None) -> int:
    """Return a precision in percent; an InputError if it is not one of 0.01, 0.02, ..., 1."""
    try:
        percent = float(precision or "nan") * 100
    except ValueError:
        percent = np.nan
    if not 0.5 < percent < 100.5 or abs(percent - round(percent)) > 1e-9:
        raise InputError(
            f"metric {text}: give the precision with at most two decimals, above 0 and up to 1, such as recall-at-precision(0.9)"
        )
    return round(percent)


def _read_costs(path: Path, class_names: Sequence[str]) -> np.ndarray:
    """Return the costs (C, C) in the order of the class names."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"metric {path}: not a readable CSV file: {error}") from None
    columns, rows = [name.strip() for name in lines[0][1:]] if lines else [], [line[0].strip() for line in lines[1:]]
    for what, names in {"first line": columns, "first column": rows}.items():
        if sorted(names) != sorted(class_names):
            raise InputError(
                f"metric {path}: the {what} must name each class of the task once, {', '.join(class_names)}; "
                f"found: {', '.join(names) or 'nothing'}"
            )
    costs = [[_parse_cost(path, cell) for cell in _cells(path, line, len(columns))] for line in lines[1:]]
    order = [rows.index(name) for name in class_names], [columns.index(name) for name in class_names]
    return np.array(costs)[np.ix_(*order)]


def _cells(path: Path, line: list[str], classes: int) -> list[str]:
    if len(line) != classes + 1:
        raise InputError(f"metric {path}: the row {line[0]} must have a cost for each of {classes} classes")
    return line[1:]


def _parse_cost(path: Path, cell: str) -> float:
    try:
        cost = float(cell)
    except ValueError:
        cost = np.nan
    if not np.isfinite(cost):
        raise InputError(f"metric {path}: a cost must be a finite number; found: {cell!r}")
    return cost
