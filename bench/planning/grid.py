"""Equal tuning: a grid of as many settings for every strategy, and the choice among them by validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING

from bench.errors import InputError
from bench.metrics.selection_metric import DEFAULT, SelectionMetric, parse_metric
from bench.records.record import Failure, PlannedConfiguration, PlannedStrategy, Record, Study

if TYPE_CHECKING:
    from bench.planning.protocol import Protocol
    from strategies import Strategy


@dataclass(frozen=True)
class Configuration:
    """One point of a grid: what is trained, and how."""

    label: str
    strategy: Strategy
    protocol: Protocol
    edge: bool = False
    """Whether its value is the lowest or the highest of the grid."""


@dataclass(frozen=True)
class Grid:
    """As many settings for every strategy: values of its own hyper-parameters, or else learning rates."""

    learning_rates: tuple[float, ...]
    own: Mapping[Strategy, tuple[Strategy, ...]] = field(default_factory=dict)

    def settings(self, strategy: Strategy, protocol: Protocol) -> list[Configuration]:
        """The settings that a strategy is tuned over."""
        if values := self.own.get(strategy):
            pairs = zip(values, _at_own_edge(values), strict=True)
            return [Configuration(str(value), value, protocol, edge) for value, edge in pairs]
        return [
            Configuration(f"learning_rate={rate:g}", strategy, dataclasses.replace(protocol, learning_rate=rate), edge)
            for rate, edge in zip(self.learning_rates, _at_edge(self.learning_rates), strict=True)
        ]


def _at_edge(numbers: Sequence[float]) -> list[bool]:
    return [each in (min(numbers), max(numbers)) for each in numbers]


def _at_own_edge(values: Sequence[Strategy]) -> list[bool]:
    """None is where the values differ in more than one hyper-parameter, or in one that is no number: they have no order."""
    settings = [[each for part in value.parts for each in part.parameters.values()] for value in values]
    differing = [column for column in zip(*settings, strict=True) if any(each != column[0] for each in column)]
    if len(differing) == 1 and all(type(each) in (int, float) for each in differing[0]):
        return _at_edge(differing[0])
    return [False] * len(values)


def tuned(study: Study, records: Iterable[Record], failures: Iterable[Failure]) -> Study:
    """The study with every tuned row as the trainings of one setting, and a note on the rows that were not tuned.

    The setting is the one of the best mean over seeds of the objective on validation, the first of equals; test has no say.
    One that failed under some seed cannot be chosen. While a training is missing nothing is chosen: the row is shown as the
    first setting that is not finished, and so as incomplete. Where a task has no such objective macro-F1 chooses, and a note
    says so.
    """
    held, failed = {each.id: each for each in records}, {each.id for each in failures}
    classes = {facts.task: facts.class_names for facts in study.tasks}
    rows, notes = [], [*study.notes, *_untuned(study.strategies)]
    for row in study.strategies:
        if not row.configurations:
            rows.append(row)
            continue
        try:
            rows.append(_at_chosen(row, held, failed, parse_metric(study.metric, classes[row.task])))
        except InputError as error:
            rows.append(_at_chosen(row, held, failed, parse_metric(DEFAULT, classes[row.task])))
            notes.append(f"settings on {row.task} are chosen by {DEFAULT}: {error}")
    return dataclasses.replace(study, strategies=rows, notes=list(dict.fromkeys(notes)))


def _at_chosen(
    row: PlannedStrategy, records: Mapping[str, Record], failed: set[str], goal: SelectionMetric
) -> PlannedStrategy:
    finished: list[tuple[float, PlannedConfiguration]] = []
    broken: list[PlannedConfiguration] = []
    for each in row.configurations:
        found = {
            id: records[id]
            for id in each.runs.values()
            if id in records and records[id].has_adjustment(each.adjustment)
        }
        missing = set(each.runs.values()) - found.keys()
        if missing - failed:
            return row.with_configuration(each)
        if missing:
            broken.append(each)
        else:
            score = mean(_validated(record, each.adjustment, goal) for record in found.values())
            finished.append((score, dataclasses.replace(each, score=score)))
    if not finished:
        return row.with_configuration(broken[0])
    best = (max if goal.direction == "up" else min)(finished, key=lambda pair: pair[0])[1]
    without = f" (not to be had: {', '.join(each.label for each in broken)})" if broken else ""
    scored = {each.label: each for _, each in finished}
    row = dataclasses.replace(row, configurations=[scored.get(each.label, each) for each in row.configurations])
    return dataclasses.replace(row.with_configuration(best), configuration=f"{best.label}{without}")


def _validated(record: Record, adjustment: str, goal: SelectionMetric) -> float:
    found = record.evaluation("chosen", "valid", adjustment)
    return goal.value(found.confusion, found.entities)


def _untuned(rows: Iterable[PlannedStrategy]) -> Iterator[str]:
    """What ran under one setting only: all of it in one line, or by task."""
    trained = [row for row in rows if row.skipped is None]
    by_task: dict[str, list[str]] = {}
    for row in trained:
        if not row.configurations:
            by_task.setdefault(row.task, []).append(row.strategy)
    if trained and not any(row.configurations for row in trained):
        yield "untuned: every strategy ran with one setting of its hyper-parameters and one learning rate"
        return
    for task, strategies in by_task.items():
        whole = len(strategies) == sum(row.task == task for row in trained)
        yield f"untuned on {task}: {'every strategy' if whole else ', '.join(strategies)}"
