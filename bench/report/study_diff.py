"""What differs between two studies, for example of two versions or machines, and which differences are significant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bench.metrics.metric import find_title
from bench.records.record import RAW, PlannedStrategy, Study, TaskFacts
from bench.report.choice_description import name_choice
from bench.report.frame import StudyResults
from bench.report.task_metrics import UndefinedMetric
from bench.report.titles import MEASURES, display_name
from bench.report.validation_choice import ON_VALIDATION, choose_on_validation
from bench.stats import (
    BETTER,
    DEFAULT_MARGIN,
    EQUIVALENT,
    FEWEST_SEEDS,
    INCONCLUSIVE,
    TOO_FEW_SEEDS,
    WORSE,
    Outcome,
    compare_pairs,
    decide_outcome,
    hochberg,
    holm,
    split_of,
)
from bench.stats.power import ALPHA
from bench.text.markdown import escape_markdown, markdown_list, markdown_table
from bench.text.numbers import MISSING, format_number, format_signed

ChangeKind = Literal["higher", "lower", "equivalent", "inconclusive", "too few seeds", "identical"]

_KINDS: dict[Outcome, ChangeKind] = {
    BETTER: "higher",
    WORSE: "lower",
    EQUIVALENT: "equivalent",
    INCONCLUSIVE: "inconclusive",
    TOO_FEW_SEEDS: "too few seeds",
}

StrategyKey = tuple[str, str]
"""Task and strategy."""


@dataclass(frozen=True)
class StrategyChange:
    """One strategy on one task in both studies: means over the seeds that both have, and the paired difference.

    `low` and `high` are the 95% interval of the difference, NaN if there is one seed or the difference does not vary;
    `adjusted_p` is adjusted by Holm.
    """

    task: str
    strategy: str
    seeds: int
    before: float
    after: float
    low: float
    high: float
    adjusted_p: float
    kind: ChangeKind


@dataclass(frozen=True)
class StudyDiff:
    """All that differs between two studies; as text it is Markdown.

    `measure` is the title of what is compared. `changes` has every strategy that both studies have on the same data,
    `conditions` everything else that differs, as (what, before, after), and `not_compared` the strategies and tasks that could
    not be compared, with the reason.
    """

    measure: str
    margin: float
    changes: list[StrategyChange]
    conditions: list[tuple[str, str, str]]
    not_compared: list[str]

    def __str__(self) -> str:
        return "\n\n".join(_markdown_blocks(self))


def diff_studies(
    before: StudyResults, after: StudyResults, measure: str | None = "macro_f1", margin: float = DEFAULT_MARGIN
) -> StudyDiff:
    """Return the differences of all strategies that are complete in both studies, on tasks with the same data.

    Differences are paired by seed, since a seed fixes split, initial weights and sampling in both studies; p values are
    adjusted by Holm over all compared strategies. `measure` is a key of `MEASURES`, None for the selection metric of
    both, and differences below `margin`, in its unit, do not matter.
    """
    same_data, not_compared = _tasks_with_same_data(before.study, after.study)
    old_scores, new_scores = _scores_by_seed(before, measure), _scores_by_seed(after, measure)
    not_compared += [f"{_describe(key)}: only in the first study" for key in old_scores if key not in new_scores]
    not_compared += [f"{_describe(key)}: only in the second study" for key in new_scores if key not in old_scores]

    in_both = [key for key in old_scores if key in new_scores]
    pairs: dict[StrategyKey, np.ndarray] = {}
    for key in in_both:
        if key[0] not in same_data:
            continue
        pair = pd.concat([old_scores[key], new_scores[key]], axis=1, join="inner").to_numpy().T
        if pair.size:
            pairs[key] = pair
        else:
            not_compared.append(f"{_describe(key)}: no seed in common")

    shared_tasks = [facts.task for facts in before.study.tasks if facts.task in _facts_by_task(after.study)]
    old_conditions = _conditions(before, shared_tasks, in_both)
    new_conditions = _conditions(after, shared_tasks, in_both)
    conditions = list(_find_differences(old_conditions, new_conditions))
    defined = [metric.name for metric in after.metrics.values() if not isinstance(metric, UndefinedMetric)]
    title = find_title((defined or [after.study.metric])[0]) if measure is None else MEASURES[measure]
    return StudyDiff(title, margin, _changes(pairs, after.study, margin), conditions, not_compared)


def _facts_by_task(study: Study) -> dict[str, TaskFacts]:
    return {facts.task: facts for facts in study.tasks}


def _tasks_with_same_data(before: Study, after: Study) -> tuple[set[str], list[str]]:
    """Return the tasks of both studies whose data are the same, and a line for each task whose data are not."""
    old, new = _facts_by_task(before), _facts_by_task(after)
    same, lines = set(), []
    for task in old:
        if task not in new:
            continue
        if (old[task].fingerprint, old[task].class_names) == (new[task].fingerprint, new[task].class_names):
            same.add(task)
        else:
            lines.append(f"{task}: the data of the two studies differ")
    return same, lines


def _scores_by_seed(results: StudyResults, measure: str | None) -> dict[StrategyKey, pd.Series]:
    """Return the scores of each complete strategy, indexed by seed; strategies without any score are left out."""
    if measure is None:
        by_metric = {}
        for outcome in results.outcomes:
            metric, adjustment = results.metrics[outcome.planned.task], outcome.planned.adjustment
            if outcome.status == "complete" and not isinstance(metric, UndefinedMetric):
                values = {
                    seed: metric.value(r.evaluation("chosen", "test", adjustment))
                    for seed, r in outcome.records.items()
                }
                by_metric[outcome.planned.task, outcome.strategy] = pd.Series(values)
        return by_metric
    scores = {}
    for (task, strategy), runs in results.runs.groupby(["task", "strategy"], sort=False):
        by_seed = runs.set_index("seed")[measure].dropna()
        if len(by_seed):
            scores[str(task), str(strategy)] = by_seed
    return scores


def _describe(key: StrategyKey) -> str:
    task, strategy = key
    return f"{task}, {display_name(strategy)}"


def _changes(pairs: dict[StrategyKey, np.ndarray], study: Study, margin: float) -> list[StrategyChange]:
    """Return the change of each strategy; a pair has the scores before and after, (2, seeds)."""
    if not pairs:
        return []
    facts = _facts_by_task(study)
    tests = {
        (task, strategy): compare_pairs(pair[1], pair[0], split=split_of(facts[task].resplit))
        for (task, strategy), pair in pairs.items()
    }
    adjusted = holm(np.array([test.p for test in tests.values()])).tolist()
    equivalence = hochberg(np.array([test.equivalence_p(margin) for test in tests.values()])).tolist()
    changes = []
    for (key, pair), adjusted_p, equivalence_p in zip(pairs.items(), adjusted, equivalence, strict=True):
        before, after = pair.mean(axis=1).tolist()
        low, high = float(tests[key].low), float(tests[key].high)
        outcome = decide_outcome(
            after - before,
            p=adjusted_p,
            equivalence_p=equivalence_p,
            interval=(low, high),
            margin=margin,
            n=pair.shape[1],
        )
        kind: ChangeKind = "identical" if np.array_equal(*pair) else _KINDS[outcome]
        changes.append(StrategyChange(*key, pair.shape[1], before, after, low, high, adjusted_p, kind))
    return changes


def _conditions(results: StudyResults, tasks: Sequence[str], strategies: Sequence[StrategyKey]) -> dict[str, Any]:
    """Return everything other than data that results depend on, by what it is, for these tasks and strategies."""
    study = results.study
    post_hoc_baselines = [outcome.planned for outcome in results.outcomes if outcome.planned not in study.strategies]
    planned_strategies = [*post_hoc_baselines, *study.strategies]
    configurations = {(planned.task, planned.strategy): _configuration(planned) for planned in planned_strategies}
    conditions: dict[str, Any] = {"suite": study.suite, "metric": study.metric}
    if study.chosen_on == ON_VALIDATION and (choice := choose_on_validation(results)) is not None:
        conditions["chosen on validation"] = name_choice(choice.chosen)
    for name, value in study.environment.items():
        conditions[f"environment: {name}"] = value
    for task in tasks:
        for name, value in study.protocols.get(task, {}).items():
            conditions[f"protocol of {task}: {name}"] = value
    for task in tasks:
        conditions[f"primary family of {task}"] = ", ".join(sorted(study.primary_family(task)))
    for task, strategy in strategies:
        name = f"configuration of {display_name(strategy)} on {task}"
        conditions[name] = configurations[task, strategy]
    conditions["notes"] = "; ".join(study.notes)
    return conditions


def _configuration(planned: PlannedStrategy) -> str:
    """Return the chosen configuration and the adjustment of the logits; empty if there is neither."""
    adjustment = "" if planned.adjustment == RAW else planned.adjustment
    return ", ".join(dict.fromkeys(filter(None, [planned.configuration, adjustment])))


def _find_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys([*before, *after]):
        first, second = before.get(name, ""), after.get(name, "")
        if first != second:
            yield name, str(first) or MISSING, str(second) or MISSING


def _markdown_blocks(diff: StudyDiff) -> Iterator[str]:
    """Yield the comparison as Markdown, the changes with the smallest p values first."""
    significant = sum(change.kind in ("higher", "lower") for change in diff.changes)
    identical = sum(change.kind == "identical" for change in diff.changes)
    yield (
        f"{diff.measure} on test, second study minus first, paired by seed: {significant} of {len(diff.changes)} "
        f"comparisons differ significantly, {identical} have identical numbers."
    )
    if diff.changes:
        header = ("task", "strategy", "seeds", "first", "second", "difference", "95% interval", "p (Holm)", "result")
        yield markdown_table(header, [_cells(change) for change in sorted(diff.changes, key=_by_p)])
    if diff.conditions:
        rows = [[escape_markdown(text) for text in condition] for condition in diff.conditions]
        yield markdown_table(("what else differs", "first", "second"), rows)
    if diff.not_compared:
        yield "Not compared:\n\n" + markdown_list(escape_markdown(line) for line in diff.not_compared)
    yield (
        f"Higher, lower: the p value of a paired t test over seeds, adjusted by Holm over all comparisons, is below {ALPHA}. "
        f"Equivalent: the 95% interval lies within ±{diff.margin:.3g}, and two one-sided tests, adjusted by Hochberg, reject any "
        f"larger difference. Below {FEWEST_SEEDS} seeds nothing is concluded. "
        "Seeds vary split, initial weights and sampling; they do not vary the text of the test part."
    )


def _by_p(change: StrategyChange) -> tuple[bool, float]:
    """Sort by p, NaN last."""
    return bool(np.isnan(change.adjusted_p)), change.adjusted_p


def _cells(change: StrategyChange) -> list[str]:
    interval = MISSING
    if not np.isnan(change.low):
        interval = f"{format_signed(change.low)} to {format_signed(change.high)}"
    return [
        escape_markdown(change.task),
        escape_markdown(display_name(change.strategy)),
        str(change.seeds),
        format_number(change.before),
        format_number(change.after),
        format_signed(change.after - change.before),
        interval,
        format_number(change.adjusted_p),
        change.kind,
    ]
