"""A results directory, loaded and reported on: its own report, or its differences from another directory."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import InputError
from bench.metrics.metric import find_column
from bench.metrics.selection_metric import SELECTABLE, SelectionMetric
from bench.records.compared_seeds import NOT_PLANNED, with_compared_seeds
from bench.records.predictions import PredictionsOf, no_predictions
from bench.records.record import Cost, Failure, Record, Study
from bench.records.store import Store, drop_none
from bench.report import write_report
from bench.report.choice_description import describe_choice
from bench.report.configuration_choice import choose_configurations
from bench.report.data_set_answer import data_set_of, describe_answers
from bench.report.frame import StudyResults, collect_results
from bench.report.study_diff import StudyDiff, diff_studies
from bench.report.tables import write_latex_tables
from bench.report.task_metrics import UndefinedMetric, resolve_metrics
from bench.report.validation_choice import ON_VALIDATION, choose_on_validation
from bench.stats import DEFAULT_MARGIN


@dataclass(frozen=True)
class LoadedStudy:
    """A study with its chosen configurations, what its directory holds of it, and the selection metric of each task."""

    study: Study
    records: list[Record]
    failures: list[Failure]
    costs: list[Cost]
    metrics: Mapping[str, SelectionMetric]
    predictions: PredictionsOf = no_predictions

    def results(self) -> StudyResults:
        """Return the tidy frames that tables and figures are made from."""
        return collect_results(self.study, self.records, self.failures, self.costs, self.metrics, self.predictions)


def load_study(
    store: Store, metric: str | None = None, margin: float | None = None, data_set: str | None = None
) -> LoadedStudy:
    """Load a study and its records, of one data set alone where it is given; `metric` and `margin` replace the study's own.

    Raises an InputError if no task of the study has the metric.
    """
    study = with_compared_seeds(store.study())
    is_other_metric = metric is not None and metric != study.metric
    # A margin is in the unit of its metric, so that of the study is not kept for another one.
    study = replace(study, metric=metric or study.metric, margin=margin or (None if is_other_metric else study.margin))
    # The directory may have been moved, and older studies do not know their command.
    out = shlex.quote(str(store.directory))
    commands = study.commands or [f"imbench run {shlex.quote(study.suite)}"]
    study = replace(study, commands=[f"{command} --out {out}" for command in commands])
    if data_set is not None:
        study = replace(
            study,
            tasks=[facts for facts in study.tasks if data_set_of(facts.task) == data_set],
            strategies=[row for row in study.strategies if data_set_of(row.task) == data_set],
        )
    ids = list(dict.fromkeys(id for planned in study.strategies for _, id, _ in planned.planned_runs()))
    records = drop_none(store.record(id, versions=study.adjustment_versions) for id in ids)
    metrics = resolve_metrics(study, records)
    _check_defined(metrics, asked=metric)
    failures = [*drop_none(map(store.failure, ids)), *store.unreadable(study).values()]
    chosen = choose_configurations(study, records, failures, metrics)
    return LoadedStudy(chosen, records, failures, drop_none(map(store.cost, ids)), metrics, store.load_predictions)


def report_study(
    store: Store,
    metric: str | None = None,
    margin: float | None = None,
    warn: Callable[[str], None] = lambda line: None,
    *,
    latex: bool = False,
) -> list[Path]:
    """Write the report of a results directory, and return its paths; `metric` and `margin` replace the study's own.

    `warn(line)` is called for every task that does not have the metric. With `latex`, tables are written as `.tex` too.
    """
    loaded = load_study(store, metric, margin)
    for line in _list_undefined(loaded.metrics):
        warn(f"no verdict on {line}")
    tex = write_latex_tables(loaded.results(), store.directory / "tables") if latex else []
    return tex + write_report(
        loaded.study,
        loaded.records,
        loaded.failures,
        loaded.costs,
        store.directory,
        store.load_predictions,
        metrics=loaded.metrics,
    )


def summarise_verdicts(store: Store, task: str | None = None) -> list[str]:
    """Return a line per data set with the answer.

    With a task, only that of its data set, once all runs on the forms of this data set have finished or failed.
    """
    loaded = load_study(store, data_set=None if task is None else data_set_of(task))
    ended = {record.id for record in loaded.records} | {failure.id for failure in loaded.failures}
    planned = {id for row in loaded.study.strategies for _, id, _ in row.planned_runs()} - {NOT_PLANNED}
    if task is not None and not planned <= ended:
        return []
    results = loaded.results()
    if loaded.study.chosen_on == ON_VALIDATION:
        return describe_choice(results, choose_on_validation(results))
    return describe_answers(results)


def compare_studies(before: Store, after: Store, metric: str | None = None, margin: float | None = None) -> StudyDiff:
    """Return what changed from one results directory to another, by the metric of the second if none is given.

    A metric that is given and by which a configuration can be chosen replaces both studies' own. Differences below `margin`, in
    the unit of the metric, do not matter; if it is not given, that of the second study counts, where its metric is used.
    """
    study = after.study()
    asked = metric or study.metric
    measure = find_column(asked)
    # Tables have no column of a file of costs, and of recall at one precision only; their numbers are computed from the records.
    given = metric if measure is None or metric in SELECTABLE else None
    new = load_study(after, given).results()
    old = load_study(before, asked if measure is None else given).results()
    if margin is None and asked == study.metric:
        margin = study.margin
    return diff_studies(old, new, measure, margin or DEFAULT_MARGIN)


def _check_defined(metrics: Mapping[str, SelectionMetric], asked: str | None) -> None:
    """Raise an InputError if no task has its metric; `asked` is the metric that the user gave, None for the study's own."""
    undefined = _list_undefined(metrics)
    if not undefined or len(undefined) < len(metrics):
        return
    if asked is not None:
        reasons = list(
            dict.fromkeys(metric.reason for metric in metrics.values() if isinstance(metric, UndefinedMetric))
        )
        raise InputError(reasons[0] if len(reasons) == 1 else "no task has the metric; " + "; ".join(undefined))
    raise InputError(
        f"the metric that the study was run with is no longer available; give another --metric: {'; '.join(undefined)}"
    )


def _list_undefined(metrics: Mapping[str, SelectionMetric]) -> list[str]:
    """Return each task that does not have the metric, with the reason."""
    return [f"{task}: {metric.reason}" for task, metric in metrics.items() if isinstance(metric, UndefinedMetric)]
