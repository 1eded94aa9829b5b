"""The selection metric of each task of a study: the study names one, and it is resolved here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from bench.errors import InputError
from bench.metrics.selection_metric import Confusion, Entities, SelectionMetric, parse_metric
from bench.records.record import Study


@dataclass(frozen=True)
class UndefinedMetric(SelectionMetric):
    """A metric that a task does not have; its `value` raises the reason as an InputError."""

    reason: str


def resolve_metrics(study: Study) -> dict[str, SelectionMetric]:
    """Return the study's selection metric for the classes of each task, by task.

    A task whose classes differ from those of a file of costs, for example, gets an `UndefinedMetric`. A metric can also be
    undefined by its values alone: entity-f1 raises an InputError for an evaluation without entities.
    """
    metrics = {}
    for facts in study.tasks:
        try:
            metrics[facts.task] = parse_metric(study.metric, facts.class_names)
        except InputError as error:
            metrics[facts.task] = _make_undefined(study.metric, str(error))
    return metrics


def _make_undefined(name: str, reason: str) -> UndefinedMetric:
    def refuse(confusion: Confusion, entities: Entities) -> NoReturn:
        raise InputError(reason)

    return UndefinedMetric(name, "up", refuse, reason)
