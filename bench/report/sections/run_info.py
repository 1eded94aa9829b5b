"""What was measured and how: data, protocol, machine, and what validation chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.metrics.metric import TUNABLE, find_title
from bench.report import wording
from bench.report.data_set_answer import data_set_of
from bench.report.frame import StudyResults
from bench.report.protocol_fields import describe_protocol
from bench.report.task_results import THRESHOLDS, TaskResults, adjustment_name, thresholds_metric
from bench.report.titles import BASELINE, PRIORS


def environment(results: StudyResults) -> list[tuple[str, str]]:
    """Return machine and versions."""
    return list(results.study.environment.items())


def describe_study(results: StudyResults, tasks: list[TaskResults]) -> list[str]:
    """Return what was compared with what by which metric, and what validation chose."""
    study = results.study
    # The post-hoc baselines among the outcomes are remedies too.
    compared = {outcome.strategy for outcome in results.outcomes if outcome.status != "skipped"}
    remedies = compared - {BASELINE}
    seeds = [len(outcome.planned.runs) for task in tasks for outcome in task.outcomes.values() if outcome.planned.runs]
    data_sets = len({data_set_of(facts.task) for facts in study.tasks})
    metric = tasks[0].metric_title if tasks else wording.metric_title(study.metric)
    is_lower_better = bool(tasks) and tasks[0].metric.direction == "down"
    tuned_for = _thresholds_tuned_for(results)
    thresholds = wording.THRESHOLDS_TUNED.format(metrics=_titles(tuned_for)) if tuned_for else ""
    return [
        wording.describe_comparison(
            study.suite, len(remedies), len(study.tasks), data_sets, seeds, metric, is_lower_better
        ),
        wording.CHOSEN_ON_VALIDATION.format(metric=results.checkpoint_metric_title(), thresholds=thresholds),
        *([wording.MARGIN.format(margins=_list_margins(tasks))] if tasks else []),
    ]


def _list_margins(tasks: list[TaskResults]) -> str:
    """Return the margin, or that of each task where they differ: a share of the cost of plain training does."""
    margins = {task.facts.task: wording.format_margin(task.margin) for task in tasks}
    if len(set(margins.values())) == 1:
        return next(iter(margins.values()))
    return ", ".join(wording.MARGIN_OF_TASK.format(margin=margin, task=task) for task, margin in margins.items())


def warn_of_checkpoints(task: TaskResults) -> str:
    """Return a warning that checkpoints were chosen by another metric, and how to fix it; empty where they were not."""
    chosen = task.results.checkpoint_metrics(task.facts)
    if list(chosen) == [task.metric.name]:
        return ""
    by_metric = [
        wording.CHECKPOINTS_BY_METRICS.format(metric=find_title(name), strategies=wording.names(strategies))
        for name, strategies in chosen.items()
    ]
    titles = by_metric if len(chosen) > 1 else map(find_title, chosen)
    metric = Path(task.results.study.metric).name
    return wording.CHECKPOINTS_BY_OTHER_METRIC.format(chosen=", ".join(titles), metric=metric)


def warn_of_thresholds(results: StudyResults) -> str:
    """Return a warning that thresholds were tuned for another metric, and how to fix it; empty where they were not."""
    tuned_for, metric = _thresholds_tuned_for(results), results.study.metric
    if not tuned_for or tuned_for == [metric]:
        return ""
    fix = wording.THRESHOLDS_RERUN if metric in TUNABLE else wording.THRESHOLDS_NOT_TUNABLE
    return wording.THRESHOLDS_FOR_OTHER_METRIC.format(tuned=_titles(tuned_for)) + fix.format(metric=metric)


def _titles(metrics: list[str]) -> str:
    return " and ".join(map(wording.metric_title, metrics))


def _thresholds_tuned_for(results: StudyResults) -> list[str]:
    """Return the metrics that the study's thresholds were tuned for."""
    adjustments = [name for row in results.study.strategies for name in (row.adjustment, *row.post_hoc)]
    return list(dict.fromkeys(thresholds_metric(name) for name in adjustments if adjustment_name(name) == THRESHOLDS))


def describe_task(task: TaskResults) -> list[tuple[str, str]]:
    """Return terms and their meanings that are the same for every strategy of a task."""
    facts = task.facts
    protocol: Mapping[str, Any] = task.results.study.protocols.get(facts.task, {})
    return [
        ("data", facts.description),
        ("training part", f"{facts.items:,} items; {len(facts.class_names)} classes, {_label_counts(task)}"),
        *([("validation part", validation)] if (validation := wording.validation_labels(facts.valid_counts)) else []),
        ("test", PRIORS[facts.prior]),
        *_positive_class(task),
        *_without_model(task),
        *([("protocol", describe_protocol(protocol))] if protocol else []),
        *_configurations(task),
        *(("note", note) for note in facts.notes),
    ]


def _configurations(task: TaskResults) -> Iterator[tuple[str, str]]:
    sizes = {len(outcome.planned.configurations) for outcome in task.outcomes.values()} - {0}
    if sizes:
        counts = ", ".join(map(str, sorted(sizes)))
        yield "tuned", f"{counts} configurations per strategy, see below: learning rates, or hyper-parameters"


def _label_counts(task: TaskResults) -> str:
    counts = task.facts.class_counts
    return f"from {max(counts):,} labels down to {min(counts):,}"


def _positive_class(task: TaskResults) -> Iterator[tuple[str, str]]:
    if len(task.facts.class_names) == 2:
        yield "positive class", wording.POSITIVE_CLASS.format(name=task.facts.class_names[1])


def _without_model(task: TaskResults) -> Iterator[tuple[str, str]]:
    if (baseline := task.facts.baseline) is not None:
        yield "without a model", f"each word's most frequent tag in training: macro-F1 {baseline['macro_f1']:.3f}"
