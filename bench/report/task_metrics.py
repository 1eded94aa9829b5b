"""The selection metric of each task of a study: the study names one, and it is resolved here, once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from bench.errors import InputError
from bench.metrics.selection_metric import SelectionMetric, parse_metric
from bench.records.record import RAW, Evaluation, Record, Study


@dataclass(frozen=True)
class UndefinedMetric(SelectionMetric):
    """A metric that a task does not have; its `value` raises the reason as an InputError."""

    reason: str

    def value(self, evaluation: Evaluation) -> NoReturn:
        raise InputError(self.reason)


def resolve_metrics(study: Study, records: Iterable[Record] = ()) -> dict[str, SelectionMetric]:
    """Return the study's selection metric for the classes of each task, by task.

    A task that does not have it gets an `UndefinedMetric`: for example where its classes differ from those of a file of costs
    or, as its records tell, where there are no entities.
    """
    first_records: dict[str, Record] = {}
    for record in records:
        first_records.setdefault(record.task, record)
    metrics: dict[str, SelectionMetric] = {}
    for facts in study.tasks:
        try:
            metric = parse_metric(study.metric, facts.class_names)
            if facts.task in first_records:
                metric.value(first_records[facts.task].evaluation("chosen", "test", RAW))
            metrics[facts.task] = metric
        except InputError as error:
            metrics[facts.task] = UndefinedMetric(study.metric, "up", str(error))
    return metrics
