"""Which configuration of a tuned strategy the report shows: the one with the best mean over seeds on validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import mean

from bench.errors import InputError
from bench.metrics.selection_metric import DEFAULT, MACRO_F1, SelectionMetric
from bench.records.record import (
    VALIDATION_LABELS_ADDED,
    Failure,
    PlannedConfiguration,
    PlannedStrategy,
    Record,
    Study,
)
from bench.report.titles import BASELINE

# The notes below, and what follows the label of a chosen configuration, are cells of the CSV tables, whose text is kept.


def choose_configurations(
    study: Study, records: Iterable[Record], failures: Iterable[Failure], metrics: Mapping[str, SelectionMetric]
) -> Study:
    """Return the study with each tuned strategy as one of its configurations, and a note on strategies that were not tuned.

    The configuration is the one with the best mean over seeds of its task's metric on validation, the first of equals; test
    is not used. A configuration with a failed run cannot be chosen. While a run is missing, nothing is chosen: the strategy
    is shown as its first unfinished configuration, and so as incomplete. Where the metric is not defined on a task, macro-F1
    chooses, and a note says so.
    """
    records_by_id = {record.id: record for record in records}
    failed = {failure.id for failure in failures}
    strategies, notes = [], [*study.notes, *_note_untuned(study.strategies)]
    for planned in study.strategies:
        if not planned.configurations:
            strategies.append(planned)
            continue
        if planned.strategy == VALIDATION_LABELS_ADDED:
            strategies.append(_follow_baseline(planned, strategies))
            continue
        try:
            strategies.append(_choose(planned, records_by_id, failed, metrics[planned.task]))
        except InputError as error:
            strategies.append(_choose(planned, records_by_id, failed, MACRO_F1))
            notes.append(f"settings on {planned.task} are chosen by {DEFAULT}: {error}")
    return dataclasses.replace(study, strategies=strategies, notes=list(dict.fromkeys(notes)))


def _choose(
    planned: PlannedStrategy, records: Mapping[str, Record], failed: set[str], metric: SelectionMetric
) -> PlannedStrategy:
    finished: list[tuple[float, PlannedConfiguration]] = []
    broken: list[PlannedConfiguration] = []
    for configuration in planned.configurations:
        ids, adjustment = configuration.runs.values(), configuration.adjustment
        evaluated = [records[id] for id in ids if id in records and records[id].has_adjustment(adjustment)]
        missing = set(ids) - {record.id for record in evaluated}
        if missing - failed:
            return planned.with_configuration(configuration)
        if missing:
            broken.append(configuration)
        else:
            score = mean(_validation_score(record, adjustment, metric) for record in evaluated)
            finished.append((score, dataclasses.replace(configuration, score=score)))
    if not finished:
        return planned.with_configuration(broken[0])
    best = (max if metric.direction == "up" else min)(finished, key=lambda scored: scored[0])[1]
    failed_labels = ", ".join(configuration.label for configuration in broken)
    without = f" (not to be had: {failed_labels})" if broken else ""
    scored = {configuration.label: configuration for _, configuration in finished}
    configurations = [scored.get(configuration.label, configuration) for configuration in planned.configurations]
    chosen = dataclasses.replace(planned, configurations=configurations).with_configuration(best)
    return dataclasses.replace(chosen, configuration=f"{best.label}{without}")


def _follow_baseline(planned: PlannedStrategy, chosen: Sequence[PlannedStrategy]) -> PlannedStrategy:
    """Return the baseline with validation labels added, as the baseline's configuration: nothing is left to choose it on.

    The baseline stands before it in a study.
    """
    baseline = next(row for row in chosen if (row.task, row.strategy) == (planned.task, BASELINE))
    pairs = zip(baseline.configurations, planned.configurations, strict=True)
    same = next(ours for theirs, ours in pairs if theirs.runs == baseline.runs)
    return dataclasses.replace(planned.with_configuration(same), configuration=baseline.configuration)


def _validation_score(record: Record, adjustment: str, metric: SelectionMetric) -> float:
    return metric.value(record.evaluation("chosen", "valid", adjustment))


def _note_untuned(strategies: Iterable[PlannedStrategy]) -> Iterator[str]:
    """Yield which strategies ran with one configuration only: all of them in one line, or a line per task."""
    trained = [planned for planned in strategies if planned.skipped is None]
    untuned_by_task: dict[str, list[str]] = {}
    for planned in trained:
        if not planned.configurations:
            untuned_by_task.setdefault(planned.task, []).append(planned.strategy)
    if trained and not any(planned.configurations for planned in trained):
        yield "untuned: every strategy ran with one setting of its hyper-parameters and one learning rate"
        return
    for task, untuned in untuned_by_task.items():
        on_task = sum(planned.task == task for planned in trained)
        yield f"untuned on {task}: {'every strategy' if len(untuned) == on_task else ', '.join(untuned)}"
