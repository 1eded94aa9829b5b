"""The details of a card, "Why, and how sure": alternatives, power, convergence, tuning, and what the intervals cover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bench.report import wording
from bench.report.recommendation import Recommendation, exploratory_lead
from bench.report.sections.configurations import is_at_edge, is_tuned
from bench.report.sections.model_warnings import describe_instability
from bench.report.sections.ranking import coverage, describe_verdicts
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE, display_name
from bench.stats import Verdict, spread_factors
from bench.text.numbers import plural


def list_caveats(task: TaskResults, recommendation: Recommendation | None) -> Iterator[str]:
    """Return the caveats, one sentence each, in reading order."""
    if recommendation is not None:
        best = recommendation.best
        yield from _against_rival(task, recommendation)
        yield _step_time(task, best)
        yield from _alternatives(task, best)
        yield from _lead(task, recommendation)
        yield _family_count(task)
        yield from _overruled_by_holm(task)
        yield from _detectable_effect(best)
        yield from _count_not_converged(task, best)
        yield from describe_instability(task, best.strategy)
    else:
        yield from _lead(task, None)
    yield from _list_unfinished(task)
    yield from _describe_tuning(task)
    yield coverage(task)


def _with_conclusion(verdict: Verdict) -> dict[str, str]:
    return {"difference": wording.difference(verdict), "conclusion": wording.conclusion(verdict)}


def _against_rival(task: TaskResults, recommendation: Recommendation) -> Iterator[str]:
    """Return the trained remedy compared with the post-hoc baseline."""
    if recommendation.trained_against_post_hoc is not None:
        is_post_hoc = task.is_post_hoc(recommendation.best.strategy)
        template = wording.AGAINST_TRAINED if is_post_hoc else wording.AGAINST_POST_HOC
        words = _with_conclusion(recommendation.trained_against_post_hoc)
        best = display_name(recommendation.best.strategy)
        yield template.format(rival=display_name(recommendation.rival), best=best, **words)


def _step_time(task: TaskResults, best: Verdict) -> str:
    time, adds = task.relative_step_time(best.strategy), task.outcomes[best.strategy].planned.extra_cost
    rounds = ""
    if time.high > time.low:
        rounds = wording.STEP_TIME_ROUNDS.format(low=f"{time.low:.2f}", high=f"{time.high:.2f}")
    template = wording.STEP_TIME_MISSING if np.isnan(time.ratio) else wording.STEP_TIME
    return template.format(
        strategy=display_name(best.strategy),
        ratio=f"{time.ratio:.2f}",
        rounds=rounds,
        adds=wording.STEP_TIME_ADDS.format(adds=adds) if adds else "",
    )


def _alternatives(task: TaskResults, best: Verdict) -> Iterator[str]:
    """Return the other remedies that are better than the baseline, and those with a higher mean than the best."""
    ordered = sorted(task.family, key=lambda verdict: -task.gain(verdict))
    better = [verdict for verdict in ordered if verdict.outcome == "better" and verdict is not best]
    if better:
        yield wording.ALSO_BETTER_DETAIL.format(differences=", ".join(map(wording.named_difference, better)))
    above = [verdict for verdict in ordered if verdict.outcome != "better" and task.gain(verdict) > task.gain(best)]
    if above:
        yield wording.HIGHER_MEAN.format(best=display_name(best.strategy), differences=describe_verdicts(above))


def _lead(task: TaskResults, recommendation: Recommendation | None) -> Iterator[str]:
    """Return the exploratory strategy that gains more than the best of the family."""
    lead = exploratory_lead(task, recommendation)
    if lead is not None:
        yield wording.EXPLORATORY_LEAD.format(
            difference=wording.named_difference(lead), conclusion=wording.conclusion(lead)
        )


def _family_count(task: TaskResults) -> str:
    """Return how many remedies of the family have which verdict."""
    counted = Counter(verdict.outcome for verdict in task.family)
    outcomes = [f"{count} {kind}" for kind, count in counted.most_common()]
    if unfinished := len(task.family_names) - len(task.family):
        outcomes.append(wording.UNFINISHED_COUNT.format(count=unfinished))
    return wording.FAMILY_COUNT.format(
        remedies=plural(len(task.family_names), "remedy"),
        post_hoc=wording.FAMILY_POST_HOC.format(count=len(task.post_hoc)) if task.post_hoc else "",
        outcomes=", ".join(outcomes),
    )


def _overruled_by_holm(task: TaskResults) -> Iterator[str]:
    """Return the strategies whose interval and verdict seem to disagree."""
    overruled = [verdict.strategy for verdict in task.family if verdict.is_overruled_by_holm]
    if overruled:
        yield wording.HOLM_OVERRULES.format(strategies=wording.names(overruled))


def _detectable_effect(best: Verdict) -> Iterator[str]:
    """Return the effect that the seeds could detect, with an interval: a spread over few seeds is known roughly."""
    if best.minimum_detectable_effect > 0:
        low, high = (factor * best.minimum_detectable_effect for factor in spread_factors(best.n))
        yield wording.DETECTABLE_EFFECT.format(
            seeds=plural(best.n, "seed"),
            effect=f"{best.minimum_detectable_effect:.3f}",
            strategy=display_name(best.strategy),
            low=f"{low:.3f}",
            high=f"{high:.3f}",
        )


def _count_not_converged(task: TaskResults, best: Verdict) -> Iterator[str]:
    """Return how often the last checkpoint was better than all before; a run that several strategies share counts once."""
    outcomes = [task.outcomes[name] for name in (BASELINE, *(verdict.strategy for verdict in task.family))]
    converged = {record.id: record.converged for outcome in outcomes for record in outcome.records.values()}
    if late := list(converged.values()).count(False):
        by_strategy = ", ".join(
            wording.NOT_CONVERGED_OF.format(
                late=task.outcomes[name].not_converged, seeds=best.n, strategy=display_name(name)
            )
            for name in (BASELINE, best.strategy)
        )
        yield wording.NOT_CONVERGED.format(late=late, total=len(converged), by_strategy=by_strategy)


def _list_unfinished(task: TaskResults) -> Iterator[str]:
    unfinished = [
        wording.UNFINISHED_STRATEGY.format(strategy=display_name(name), finished=outcome.seeds_finished)
        for name, outcome in task.outcomes.items()
        if outcome.status == "incomplete"
    ]
    if unfinished:
        yield wording.UNFINISHED.format(strategies=", ".join(unfinished))


def _describe_tuning(task: TaskResults) -> Iterator[str]:
    """Return how many strategies were tuned, if any; the study's notes say so if none was."""
    strategies = task.results.study.strategies
    planned = [strategy for strategy in strategies if strategy.task == task.facts.task and strategy.skipped is None]
    tuned = [strategy for strategy in planned if is_tuned(strategy)]
    if tuned:
        at_edge = [strategy.strategy for strategy in tuned if is_at_edge(strategy)]
        edge = wording.TUNED_AT_EDGE.format(strategies=wording.names(at_edge)) if at_edge else ""
        yield wording.TUNED.format(tuned=len(tuned), planned=len(planned), edge=edge)
