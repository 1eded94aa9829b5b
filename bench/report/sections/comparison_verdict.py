"""The verdict on a user's data: the card of what validation chose, and the table of everything that it was chosen from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.classification import compute_probability_metrics
from bench.records.record import RAW, RECALIBRATIONS, VALIDATION_LABELS_ADDED, Evaluation, TaskFacts
from bench.report import choice_wording, wording
from bench.report.choice_description import (
    confirmation,
    describe_rivals,
    headline,
    name_of,
    next_step,
    place,
    too_few_rows,
    warn_of_rare_classes,
)
from bench.report.choice_on_test import ChoiceOnTest, has_enough_rows, report_on_test, task_of, within_range
from bench.report.data_set_answer import data_set_of
from bench.report.frame import StudyResults
from bench.report.page_parts import Part, Section, Table
from bench.report.sections.card import Card, CodeExample, code_examples
from bench.report.sections.model_warnings import describe_instability, warn_of_model
from bench.report.task_results import THRESHOLDS, TaskResults, adjustment_name
from bench.report.titles import BASELINE, display_name
from bench.report.validation_choice import Candidate, Choice
from bench.text.numbers import format_mean_sd, format_number, format_signed, plural

_ALL_CLASSES, _HEAD, _TAIL = 10, 3, 5
"""Up to so many classes have their recall on the card; of more, so many of the most frequent and of the rarest."""
_SCORES = {"NLL": "nll", "Brier": "brier", "ECE": "calibration_error"}


def introduce(results: StudyResults, choice: Choice) -> str:
    """Return what was compared, on which data, and what decides."""
    metric = task_of(results, choice.chosen).metric
    tried = [outcome.planned for outcome in results.outcomes if outcome.status != "skipped"]
    adjustments = {planned.strategy for planned in tried if planned.trained_as == BASELINE}
    trained = {planned.strategy for planned in tried} - adjustments - {BASELINE, VALIDATION_LABELS_ADDED}
    return choice_wording.INTRODUCTION.format(
        adjustments=plural(len(adjustments), "adjustment"),
        trained=plural(len(trained), "trained remedy"),
        learners=plural(len(choice.learners), "learner"),
        data_set=data_set_of(choice.chosen.block),
        seeds=plural(len(choice.chosen.validation), "seed"),
        metric=wording.metric_title(metric.name),
        lower=choice_wording.LOWER if metric.direction == "down" else "",
    )


def build_verdict(results: StudyResults, choice: Choice, warnings: list[str]) -> Card:
    """Return the card of the choice; `warnings` are notes on how it was measured."""
    report = report_on_test(results, choice)
    chosen, task = choice.chosen, task_of(results, choice.chosen)
    is_decided = has_enough_rows(results, choice)
    sentence, commands = next_step(results, report) if is_decided else ("", [])
    columns, measures = _compare_with_plain(task, chosen)
    return Card(
        task.anchor,
        data_set_of(chosen.block),
        _style(report) if is_decided else "open",
        _imbalance(task, chosen),
        headline(results, choice),
        _description(task, chosen) if is_decided else "",
        confirmation(results, report) if is_decided else too_few_rows(results, choice),
        _cost(task, chosen) if is_decided else "",
        [
            wording.capitalised(place(choice)),
            *describe_rivals(results, report),
            *_calibration(task, chosen),
        ]
        if is_decided
        else [],
        [*(warn_of_rare_classes(results, choice) if is_decided else []), *warn_of_model(task, chosen.strategy)],
        sentence,
        commands,
        [*task.facts.notes, *warnings],
        _code(task, chosen) if is_decided else [],
        list(_how_sure(results, choice, task)),
        columns,
        measures,
        "",
    )


def build_leaderboard(results: StudyResults, choice: Choice) -> Section:
    """Return the table of all learners and remedies, sorted by validation, and what it leaves out."""
    metric = task_of(results, choice.chosen).metric
    lead = choice_wording.LEADERBOARD_LEAD.format(
        metric=wording.metric_title(metric.name), lower=choice_wording.LOWER if metric.direction == "down" else ""
    )
    rows = [_row(row, choice) for row in _leaderboard_rows(results, choice)]
    parts: list[Part] = [lead, Table(rows, "leaderboard"), *_left_out(results)]
    return Section("leaderboard", choice_wording.LEADERBOARD, parts)


def tabulate_candidates(results: StudyResults, choice: Choice) -> pd.DataFrame:
    """Return all learners and remedies, the best mean on validation first, then plain training on the validation labels too.

    Columns: learner, strategy, kind; `validation` and `test`, means over seeds of the metric, and `test_sd`; `difference` on test
    to plain training of the same learner, with its 95% interval from `low` to `high`; `time` of a run, relative to plain
    training; `chosen`, by none where there are too few rows to decide; NaN where there is no number.
    """
    return pd.DataFrame(_leaderboard_rows(results, choice))


def _leaderboard_rows(results: StudyResults, choice: Choice) -> Iterator[dict[str, Any]]:
    """Yield a row of `tabulate_candidates` for every candidate in their order, then the learners with validation labels added."""
    tasks = {facts.task: TaskResults(results, facts, {}) for facts in results.study.tasks}
    is_decided = has_enough_rows(results, choice)
    for candidate in choice.candidates:
        yield {
            "learner": candidate.learner,
            "strategy": candidate.strategy,
            "kind": candidate.kind,
            "validation": candidate.validation_mean,
            **_numbers_on_test(tasks[candidate.block], candidate.strategy),
            "chosen": is_decided and candidate is choice.chosen,
        }
    for block, learner in dict.fromkeys((candidate.block, candidate.learner) for candidate in choice.candidates):
        if VALIDATION_LABELS_ADDED in tasks[block].means:
            yield {
                "learner": learner,
                "strategy": VALIDATION_LABELS_ADDED,
                "kind": "plain training",
                "validation": math.nan,
                **_numbers_on_test(tasks[block], VALIDATION_LABELS_ADDED),
                "chosen": False,
            }


def _numbers_on_test(task: TaskResults, strategy: str) -> dict[str, float]:
    values = task.values.loc[strategy].to_numpy()
    verdict = task.verdicts.get(strategy)
    interval = None if verdict is None else within_range(verdict, task)
    return {
        "test": float(values.mean()),
        "test_sd": float(values.std(ddof=1)) if len(values) > 1 else math.nan,
        "difference": math.nan if interval is None else float(interval.difference),
        "low": math.nan if interval is None else float(interval.low),
        "high": math.nan if interval is None else float(interval.high),
        "time": relative_time(task, strategy),
    }


def _style(report: ChoiceOnTest) -> str:
    if report.choice.chosen.kind == "plain training":
        return "keep"
    return "use" if report.confirmation == "confirmed" else "open"


def _imbalance(task: TaskResults, chosen: Candidate) -> str:
    """Return what the imbalance is, and the size of the parts."""
    facts = task.facts
    classes = choice_wording.imbalance(facts.class_names, facts.class_counts)
    confusions = np.array([evaluation.confusion for evaluation in _evaluations(task, chosen.strategy)])
    on_test = confusions.sum(axis=2).mean(axis=0)
    rarest = choice_wording.RAREST_ON_TEST.format(
        labels=f"{on_test.sum():,.0f}", count=f"{on_test[-1]:,.0f}", name=facts.class_names[-1]
    )
    return "; ".join([classes, *_parts(facts), rarest])


def _parts(facts: TaskFacts) -> Iterator[str]:
    if facts.resplit is not None:
        in_test, outside = facts.resplit
        yield choice_wording.PARTS.format(
            training=f"{facts.items:,}", validation=f"{outside - facts.items:,}", test=f"{in_test:,}"
        )
    else:
        yield plural(facts.items, "training item")
    if facts.valid_counts:
        yield wording.validation_labels(facts.valid_counts)


def _evaluations(task: TaskResults, strategy: str) -> list[Evaluation]:
    """Return the evaluations on test, one per seed."""
    outcome = task.outcomes[strategy]
    adjustment = outcome.planned.adjustment
    return [record.evaluation("chosen", "test", adjustment) for record in outcome.records.values()]


def _description(task: TaskResults, chosen: Candidate) -> str:
    if chosen.kind != "post-hoc baseline":
        return ""
    return wording.POST_HOC_TITLES.get(adjustment_name(chosen.adjustment), "")


def _cost(task: TaskResults, chosen: Candidate) -> str:
    planned = task.outcomes[chosen.strategy].planned
    if chosen.kind == "plain training":
        return ""
    if chosen.kind == "post-hoc baseline":
        return wording.post_hoc_cost(adjustment_name(chosen.adjustment))
    ratio = relative_time(task, chosen.strategy)
    if np.isnan(ratio):
        return wording.training_cost(np.nan, planned.extra_cost)
    adds = wording.COST_ADDS.format(adds=planned.extra_cost) if planned.extra_cost else ""
    return choice_wording.COST_FIT.format(ratio=f"{ratio:.2f}", adds=adds)


def relative_time(task: TaskResults, strategy: str) -> float:
    """Return the time of a run relative to plain training: of fits of an estimator, or of training steps; NaN if not measured."""
    if strategy == BASELINE or task.is_post_hoc(strategy):
        return 1.0
    if not task.is_of_estimator:
        return task.relative_step_time(strategy).ratio
    seconds = [
        np.median([record.times.get("stack_step_seconds", np.nan) for record in task.outcomes[name].records.values()])
        for name in (strategy, BASELINE)
        if name in task.outcomes and task.outcomes[name].records
    ]
    return float(seconds[0] / seconds[1]) if len(seconds) == 2 and seconds[1] > 0 else np.nan


def _calibration(task: TaskResults, chosen: Candidate) -> Iterator[str]:
    """Yield one sentence on what the remedy does to probabilities."""
    before, after = _score(task, BASELINE, "calibration_error"), _score(task, chosen.strategy, "calibration_error")
    if chosen.kind == "plain training" or np.isnan(before) or np.isnan(after):
        return
    words = {"before": f"{before:.3f}", "after": f"{after:.3f}"}
    if chosen.kind == "post-hoc baseline" and chosen.adjustment not in RECALIBRATIONS:
        yield choice_wording.PROBABILITIES_UNTOUCHED
    elif after - before > choice_wording.MATTERING_ECE:
        yield choice_wording.PROBABILITIES_WORSE.format(**words)
    elif before - after > choice_wording.MATTERING_ECE:
        yield choice_wording.PROBABILITIES_BETTER.format(**words)
    else:
        yield choice_wording.PROBABILITIES_SAME.format(**words)


def _score(task: TaskResults, strategy: str, name: str) -> float:
    """Return a score of the probabilities on test, mean over seeds; NaN where it was not measured."""
    if strategy not in task.outcomes or task.outcomes[strategy].status != "complete":
        return np.nan
    evaluations = _evaluations(task, strategy)
    if name == "nll":
        return float(np.mean([evaluation.nll for evaluation in evaluations]))
    by_seed = [compute_probability_metrics(evaluation).get(name, np.nan) for evaluation in evaluations]
    return float(np.mean(by_seed))


def _compare_with_plain(task: TaskResults, chosen: Candidate) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: recall of the classes, and scores of the probabilities, of plain training and of the choice."""
    strategies = list(dict.fromkeys([BASELINE, chosen.strategy]))
    finished = (
        [name for name in strategies if task.outcomes[name].status == "complete"]
        if BASELINE in task.outcomes
        else [chosen.strategy]
    )
    rows = [
        [
            choice_wording.RECALL.format(name=task.facts.class_names[number]),
            *(format_number(_recall(task, name)[number]) for name in finished),
        ]
        for number in _shown_classes(len(task.facts.class_names))
    ]
    for title, score in _SCORES.items():
        rows.append([title, *(format_number(_score(task, name, score)) for name in finished)])
    names = [wording.PLAIN_TRAINING.lower() if name == BASELINE else display_name(name) for name in finished]
    return [wording.MEANS_ON_TEST, *names], rows


def _shown_classes(classes: int) -> list[int]:
    if classes <= _ALL_CLASSES:
        return list(range(classes))
    return [*range(_HEAD), *range(classes - _TAIL, classes)]


def _recall(task: TaskResults, strategy: str) -> list[float]:
    """Return the recall of each class on test, mean over the seeds in which it occurs there."""
    confusions = np.array([evaluation.confusion for evaluation in _evaluations(task, strategy)], dtype=float)
    actual = confusions.sum(axis=2)
    recalls = np.where(actual > 0, np.diagonal(confusions, axis1=1, axis2=2) / np.maximum(actual, 1), np.nan)
    occurs = (actual > 0).any(axis=0)
    means = np.full(recalls.shape[1], np.nan)
    means[occurs] = np.nanmean(recalls[:, occurs], axis=0)
    return [float(mean) for mean in means]


def _code(task: TaskResults, chosen: Candidate) -> list[CodeExample]:
    """Return how to use the script, and the lines in it that are the remedy, where these are few."""
    script = CodeExample(
        choice_wording.SCRIPT_CODE.format(script=choice_wording.SCRIPT), choice_wording.SCRIPT_NOTE, language="sh"
    )
    if not task.is_of_estimator:
        has_script = (
            "model_source" not in task.results.study.protocols[chosen.block]
        )  # an nn.Module of the user has none
        return [*([script] if has_script else []), *code_examples(task, chosen.strategy)]
    if chosen.kind == "ensemble" and chosen.adjustment == RAW:
        code = choice_wording.CODE_ENSEMBLE.format(trained=chosen.trained_as, learner=chosen.learner)
        return [script, CodeExample(code, "")]
    is_thresholds = chosen.trained_as == BASELINE and adjustment_name(chosen.adjustment) == THRESHOLDS
    return [script, *(code_examples(task, chosen.strategy) if is_thresholds else [])]


def _how_sure(results: StudyResults, choice: Choice, task: TaskResults) -> Iterator[str]:
    words = {"candidates": len(choice.candidates), "margin": wording.format_margin(choice.margin)}
    yield choice_wording.RULE.format(**words)
    if len(choice.chosen.validation) == 1:
        yield choice_wording.RULE_ONE_SEED.format(**words)
    if others := [candidate for candidate in choice.tied if candidate is not choice.chosen]:
        yield choice_wording.AS_GOOD.format(candidates=wording.shorten(list(map(name_of, others))))
    yield from describe_instability(task, choice.chosen.strategy)
    yield wording.COVERAGE_FIXED if task.facts.resplit is None else wording.COVERAGE_RESPLIT
    yield from _left_out(results)


def _row(numbers: dict[str, Any], choice: Choice) -> dict[str, str]:
    learner, remedy = numbers["learner"], display_name(numbers["strategy"])
    is_tied = (learner, numbers["strategy"]) in {(each.learner, each.strategy) for each in choice.tied}
    mark = "★ " if numbers["chosen"] else "≈ " if is_tied else ""
    return {
        "remedy": mark + (f"{remedy} with {learner}" if len(choice.learners) > 1 else remedy),
        "validation": format_number(numbers["validation"]),
        "test": format_mean_sd(numbers["test"], numbers["test_sd"]),
        **{name: format_signed(numbers[name]) for name in ("difference", "low", "high")},
        "time": format_number(numbers["time"], ".2f"),
    }


def _left_out(results: StudyResults) -> Iterator[str]:
    """Yield what has not finished, and what is not applicable, each with its learner and reason."""
    learners = {facts.task: facts.learner for facts in results.study.tasks}
    unfinished = [
        choice_wording.LEFT_OUT_STRATEGY.format(
            strategy=display_name(outcome.strategy),
            learner=learners[outcome.planned.task],
            finished=outcome.seeds_finished,
            reason=outcome.reason,
        )
        for outcome in results.outcomes
        if outcome.status == "incomplete"
    ]
    skipped = [
        choice_wording.NOT_APPLICABLE_STRATEGY.format(
            strategy=display_name(outcome.strategy), learner=learners[outcome.planned.task], reason=outcome.reason
        )
        for outcome in results.outcomes
        if outcome.status == "skipped"
    ]
    if unfinished:
        yield choice_wording.LEFT_OUT.format(strategies="; ".join(unfinished))
    if skipped:
        yield choice_wording.NOT_APPLICABLE.format(strategies="; ".join(skipped))
