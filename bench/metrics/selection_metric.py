"""The metric that decides between strategies: one by name, or the mean cost per label by a cost matrix."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.errors import InputError
from bench.metrics.classification import compute_metrics
from bench.metrics.metric import DEFAULT, METRICS, SELECTABLE, Direction
from bench.records.record import EntityCounts

__all__ = ["DEFAULT", "SELECTABLE", "Direction", "SelectionMetric", "parse_metric"]

Confusion: TypeAlias = Sequence[Sequence[int]] | np.ndarray
Entities: TypeAlias = Mapping[str, EntityCounts] | None

_BY_NAME = {metric.name: metric for metric in METRICS if metric.selectable}


@dataclass(frozen=True)
class SelectionMetric:
    """How strategies are compared: `value(confusion (C, C), entities)` of an evaluation, truth by row, classes head first."""

    name: str
    direction: Direction
    value: Callable[[Confusion, Entities], float]


def parse_metric(text: str, class_names: Sequence[str]) -> SelectionMetric:
    """Return the metric that `text` names, or the mean cost by the cost matrix in the CSV file at this path.

    The file's first line and first column name the task's classes in any order; a row is a true class, a column a predicted
    one, a cell the cost of one such label. Raises an InputError for anything else.

    >>> parse_metric("macro-f1", ["O", "PER"]).value([[8, 2], [1, 1]], None).__round__(3)
    0.621
    """
    if (metric := _BY_NAME.get(text)) is not None:
        column = metric.column
        return SelectionMetric(
            text, metric.direction, lambda confusion, entities: _value_of(column, confusion, entities)
        )
    path = Path(text)
    if not path.is_file():
        raise InputError(f"unknown metric {text!r}; give {', '.join(SELECTABLE)}, or the path of a CSV file of costs")
    costs = _read_costs(path, class_names)
    return SelectionMetric(f"cost ({path.name})", "down", lambda confusion, _: _mean_cost(costs, confusion))


def _value_of(column: str, confusion: Confusion, entities: Entities) -> float:
    """Return one metric of an evaluation; an `InputError` if it needs entities and the task has none."""
    metrics = compute_metrics(np.asarray(confusion).tolist(), np.nan, entities)
    if column not in metrics:
        name = column.replace("_", "-")
        others = ", ".join(other for other in SELECTABLE if other != name)
        raise InputError(f"metric {name}: this task has no entities; give {others}, or leave the task out")
    return metrics[column]


def _mean_cost(costs: np.ndarray, confusion: Confusion) -> float:
    counts = np.asarray(confusion, dtype=np.float64)
    return float((counts * costs).sum() / counts.sum())


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
