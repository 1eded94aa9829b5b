"""Every strategy against the post-hoc baselines: as it is, and with the same adjustment on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.records.record import VALIDATION_LABELS_ADDED
from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.sections.ranking import describe_verdicts
from bench.report.task_results import (
    POST_HOC,
    TaskResults,
    adjustment_name,
    is_exploratory,
)
from bench.report.titles import BASELINE, display_name
from bench.stats import Comparison, Verdict
from bench.text.numbers import MISSING, format_signed, plural

TITLE = wording.POST_HOC_SECTION
WITH_BOTH = "on both sides"


def build(task: TaskResults) -> list[Part]:
    """Return which remedies beat each post-hoc baseline, and one table of all differences."""
    finished = [name for name in task.baselines_to_beat if name in task.means]
    comparisons = {name: (task.compare(task.values, name), _compare_adjusted(task, name)) for name in finished}
    rows = [row for name, (as_is, adjusted) in comparisons.items() for row in _rows(task, name, as_is, adjusted)]
    return [
        *([wording.POST_HOC_LEAD] if finished else []),
        *([_explain_labels_added(task)] if VALIDATION_LABELS_ADDED in finished else []),
        *(line for name, (as_is, adjusted) in comparisons.items() for line in _winners(task, name, as_is, adjusted)),
        *([Table(rows, task.part_name("post-hoc"))] if rows else []),
        *_list_tuned_apart(task, finished),
        *_list_undefined(task),
        *_list_missing(task),
    ]


def _explain_labels_added(task: TaskResults) -> str:
    labels = plural(sum(task.facts.valid_counts), "validation label")
    template = wording.POST_HOC_LABELS_FITTED if task.is_of_estimator else wording.POST_HOC_LABELS_ADDED
    return template.format(labels=labels, strategy=display_name(VALIDATION_LABELS_ADDED))


def summarise(task: TaskResults) -> str:
    """Return the post-hoc baselines against the baseline in one sentence; empty where none was evaluated."""
    verdicts = [task.verdicts[name] for name in task.baselines_to_beat if name in task.verdicts]
    return wording.POST_HOC_SHORT.format(differences=describe_verdicts(verdicts)) if verdicts else ""


def _compare_adjusted(task: TaskResults, post_hoc: str) -> Comparison:
    """Compare every strategy that was planned with this adjustment with the baseline, all of them adjusted.

    Empty for plain training with the validation labels added, which adjusts nothing.
    """
    if not task.is_post_hoc(post_hoc):
        return Comparison(BASELINE, [], [], {})
    adjustment = task.outcomes[post_hoc].planned.adjustment
    planned = [
        strategy
        for strategy, outcome in task.outcomes.items()
        if outcome.planned.post_hoc.get(adjustment, "not planned") is None
    ]
    return task.compare(task.values_under(adjustment).loc[planned], BASELINE)


def _winners(task: TaskResults, baseline: str, as_is: Comparison, adjusted: Comparison) -> Iterator[str]:
    """Return which remedies of the family beat a post-hoc baseline."""
    name = display_name(baseline)
    yield wording.POST_HOC_BETTER.format(post_hoc=name, strategies=_better_and_others(as_is))
    if any(not is_exploratory(verdict) for verdict in adjusted.verdicts):
        yield wording.POST_HOC_WITH_BOTH.format(post_hoc=name, strategies=_better_and_others(adjusted))
    elif task.is_post_hoc(baseline):
        yield wording.POST_HOC_NOT_MEASURED.format(post_hoc=name)


def _better_and_others(comparison: Comparison) -> str:
    """Return the names of better remedies of the family, and how many others have which verdict."""
    family = [verdict for verdict in comparison.verdicts if not is_exploratory(verdict)]
    better = [verdict.strategy for verdict in family if verdict.outcome == "better"]
    others = Counter(verdict.outcome for verdict in family if verdict.outcome != "better")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in others.most_common())
    return f"{wording.names(better) or wording.POST_HOC_NO_REMEDY}{'; ' if counts else ''}{counts}"


def _rows(task: TaskResults, name: str, as_is: Comparison, adjusted: Comparison) -> Iterator[dict[str, str]]:
    """Return one row per strategy, the best first; the baseline itself is in the ranking."""
    verdicts = {verdict.strategy: verdict for verdict in as_is.verdicts}
    adjusted_verdicts = {verdict.strategy: verdict for verdict in adjusted.verdicts}
    for strategy in task.means.index:
        if strategy != BASELINE and strategy in verdicts:
            yield {
                "strategy": display_name(strategy),
                "post-hoc baseline": display_name(name),
                **_cells("", verdicts[strategy]),
                **_cells(f"{WITH_BOTH}: ", adjusted_verdicts.get(strategy)),
            }


def _cells(prefix: str, verdict: Verdict | None) -> dict[str, str]:
    if verdict is None:
        return {f"{prefix}{column}": MISSING for column in ("difference", "low", "high", "verdict")}
    exploratory = " (exploratory)" if is_exploratory(verdict) else ""
    return {
        f"{prefix}difference": format_signed(verdict.difference),
        f"{prefix}low": format_signed(verdict.low),
        f"{prefix}high": format_signed(verdict.high),
        f"{prefix}verdict": f"{verdict.outcome}{exploratory}",
    }


def _list_tuned_apart(task: TaskResults, post_hoc: list[str]) -> Iterator[str]:
    """Return which post-hoc baselines were tuned themselves, so that their runs are not those of the baseline."""
    baseline_runs = task.outcomes[BASELINE].planned.runs if BASELINE in task.outcomes else {}
    apart = [name for name in post_hoc if task.is_post_hoc(name) and task.outcomes[name].planned.runs != baseline_runs]
    if apart:
        yield wording.POST_HOC_TUNED_APART.format(strategies=wording.names(apart))


def _list_undefined(task: TaskResults) -> Iterator[str]:
    """Return which adjustments are not defined after which strategies, and why."""
    strategies: dict[tuple[str, str], list[str]] = {}
    for strategy, outcome in task.outcomes.items():
        for adjustment, reason in outcome.planned.post_hoc.items():
            if reason is not None:
                strategies.setdefault((adjustment, reason), []).append(strategy)
    for (adjustment, reason), after in strategies.items():
        yield wording.POST_HOC_UNDEFINED.format(adjustment=adjustment, reason=reason, strategies=wording.names(after))


def _list_missing(task: TaskResults) -> Iterator[str]:
    """Return the post-hoc baselines that were not evaluated, and those that have not finished."""
    evaluated = {adjustment_name(task.outcomes[name].planned.adjustment) for name in task.post_hoc}
    if missing := [name for name in POST_HOC if name not in evaluated]:
        yield wording.POST_HOC_MISSING.format(adjustments=", ".join(missing))
    if unfinished := [name for name in task.baselines_to_beat if name not in task.means]:
        yield wording.POST_HOC_UNFINISHED.format(strategies=wording.names(unfinished))
