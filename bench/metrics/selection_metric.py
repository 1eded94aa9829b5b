"""The measure that decides between strategies: one of four by name, or the mean cost a label by a cost matrix."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from bench.errors import InputError
from bench.metrics.classification import measures
from bench.records.record import EntityCounts

Direction = Literal["up", "down"]
"""Whether more is better, or less."""

NAMES = ("macro-f1", "balanced-accuracy", "worst-class-recall", "entity-f1")
DEFAULT = NAMES[0]

Confusion: TypeAlias = Sequence[Sequence[int]] | np.ndarray
Entities: TypeAlias = Mapping[str, EntityCounts] | None


@dataclass(frozen=True)
class SelectionMetric:
    """What is compared: `value(confusion (C, C), entities)` of one evaluation, truth by row, classes head first."""

    name: str
    direction: Direction
    value: Callable[[Confusion, Entities], float]


def parse_metric(text: str, class_names: Sequence[str]) -> SelectionMetric:
    """The objective that `text` names, or that a CSV file at this path holds as a matrix of costs.

    The file's first line and first column name the task's classes in any order; a row is a true class, a column a predicted
    one, a cell what one such label costs. Raises an InputError for anything else.

    >>> parse_metric("macro-f1", ["O", "PER"]).value([[8, 2], [1, 1]], None).__round__(3)
    0.621
    """
    if text in NAMES:
        return SelectionMetric(text, "up", lambda confusion, entities: _measure(text, confusion, entities))
    path = Path(text)
    if not path.is_file():
        raise InputError(f"unknown objective {text!r}; give {', '.join(NAMES)}, or the path of a CSV file of costs")
    costs = _read(path, class_names)
    return SelectionMetric(f"cost ({path.name})", "down", lambda confusion, _: _mean_cost(costs, confusion))


def _measure(name: str, confusion: Confusion, entities: Entities) -> float:
    found = measures(np.asarray(confusion).tolist(), np.nan, entities)
    if (measure := name.replace("-", "_")) not in found:
        others = ", ".join(each for each in NAMES if each != name)
        raise InputError(f"objective {name}: this task has no entities; give {others}, or leave the task out")
    return found[measure]


def _mean_cost(costs: np.ndarray, confusion: Confusion) -> float:
    counts = np.asarray(confusion, dtype=np.float64)
    return float((counts * costs).sum() / counts.sum())


def _read(path: Path, class_names: Sequence[str]) -> np.ndarray:
    """Costs (C, C) in the order of the class names."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"objective {path}: not a readable CSV file: {error}") from None
    columns, rows = [name.strip() for name in lines[0][1:]] if lines else [], [line[0].strip() for line in lines[1:]]
    for what, found in {"first line": columns, "first column": rows}.items():
        if sorted(found) != sorted(class_names):
            raise InputError(
                f"objective {path}: the {what} must name each class of the task once, {', '.join(class_names)}; "
                f"found: {', '.join(found) or 'nothing'}"
            )
    costs = [[_cost(path, cell) for cell in _cells(path, line, len(columns))] for line in lines[1:]]
    order = [rows.index(name) for name in class_names], [columns.index(name) for name in class_names]
    return np.array(costs)[np.ix_(*order)]


def _cells(path: Path, line: list[str], classes: int) -> list[str]:
    if len(line) != classes + 1:
        raise InputError(f"objective {path}: the row {line[0]} must have a cost for each of {classes} classes")
    return line[1:]


def _cost(path: Path, cell: str) -> float:
    try:
        cost = float(cell)
    except ValueError:
        cost = np.nan
    if not np.isfinite(cost):
        raise InputError(f"objective {path}: a cost must be a finite number; found: {cell!r}")
    return cost
