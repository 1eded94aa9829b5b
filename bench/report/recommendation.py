"""The recommendation for a task: a remedy has to beat plain training, and the post-hoc baselines too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.report.task_results import TaskResults, is_exploratory
from bench.stats import BETTER, EQUIVALENT, INCONCLUSIVE, WORSE, Verdict

Decision = Literal["use the remedy", "keep plain training", "no conclusion"]


@dataclass(frozen=True)
class Recommendation:
    """What to use on a task, and the remedy that this is about."""

    decision: Decision
    best: Verdict
    """The remedy to use or, where none is, the one that gains most, of the inconclusive ones if there are any."""
    rival: str = ""
    """The best trained remedy if `best` is a post-hoc baseline, or the reverse; empty if there is none."""
    trained_against_post_hoc: Verdict | None = None
    """The trained one of `best` and `rival` against the post-hoc one."""
    outdone: str = ""
    """The post-hoc baseline that would be recommended if plain training with the validation labels added were not better."""


def recommend(task: TaskResults) -> Recommendation | None:
    """Return the recommendation for a task; None where the primary family has no verdict.

    1. Where a trained remedy is better than the baseline and there is a post-hoc baseline, the two are compared:
       - the best trained remedy that is also better than the best post-hoc baseline is recommended;
       - or else the best post-hoc baseline that is better than the baseline;
       - or else the best post-hoc baseline if the best trained remedy is worse than it;
       - or else the best trained remedy.
    2. In all other cases the remedy that gains most is recommended, if it is better than the baseline.
    3. Plain training is recommended where every remedy of the family is worse or equivalent. While one is inconclusive, or has
       not finished, there is no conclusion.
    4. Plain training with the validation labels added to training is recommended where it is better than the baseline, unless a
       trained remedy is recommended, or a post-hoc baseline that it is not better than: whoever adjusts logits on validation
       labels could have trained on them.
    """
    remedy, added = _recommend_remedy(task), task.validation_labels_added
    if remedy is None or added is None or added.outcome != BETTER:
        return remedy
    if remedy.decision != "use the remedy":
        return Recommendation("use the remedy", added)
    outdone = remedy.best.strategy
    if task.is_post_hoc(outdone) and _compare_with(task, remedy.best)[added.strategy].outcome == BETTER:
        return Recommendation("use the remedy", added, outdone=outdone)
    return remedy


def _recommend_remedy(task: TaskResults) -> Recommendation | None:
    """Return the recommendation among remedies and plain training, by the first three rules."""
    better = [verdict for verdict in task.family if verdict.outcome == BETTER]
    trained = [verdict for verdict in better if not task.is_post_hoc(verdict.strategy)]
    best_trained = task.largest_gain(trained)
    best_post_hoc = task.largest_gain([verdict for verdict in task.family if task.is_post_hoc(verdict.strategy)])
    if best_trained is None or best_post_hoc is None:
        open_questions = [verdict for verdict in task.family if verdict.outcome == INCONCLUSIVE]
        best = task.largest_gain(better or open_questions or task.family)
        return None if best is None else _decide(task, best)
    against_post_hoc = _compare_with(task, best_post_hoc)
    winner = task.largest_gain([verdict for verdict in trained if against_post_hoc[verdict.strategy].outcome == BETTER])
    if winner is not None:
        return _decide(task, winner, best_post_hoc, against_post_hoc[winner.strategy])
    better_post_hoc = task.largest_gain([verdict for verdict in better if task.is_post_hoc(verdict.strategy)])
    if better_post_hoc is not None:
        comparison = _compare_with(task, better_post_hoc)[best_trained.strategy]
        return _decide(task, better_post_hoc, best_trained, comparison)
    comparison = against_post_hoc[best_trained.strategy]
    if comparison.outcome == WORSE:
        return _decide(task, best_post_hoc, best_trained, comparison)
    return _decide(task, best_trained, best_post_hoc, comparison)


def _compare_with(task: TaskResults, post_hoc: Verdict) -> dict[str, Verdict]:
    """Return the verdict on every strategy, by name, compared with a post-hoc baseline."""
    return {verdict.strategy: verdict for verdict in task.compare(task.values, post_hoc.strategy).verdicts}


def _decide(
    task: TaskResults, best: Verdict, rival: Verdict | None = None, comparison: Verdict | None = None
) -> Recommendation:
    """Return the recommendation that is about `best`, and about `rival` where a trained and a post-hoc remedy compete."""
    rival_name = rival.strategy if rival is not None else ""
    return Recommendation(_choose_decision(task, best, comparison), best, rival_name, comparison)


def _choose_decision(task: TaskResults, best: Verdict, comparison: Verdict | None) -> Decision:
    # A post-hoc baseline that beats a trained remedy which beats plain training is better than plain training.
    if comparison is not None and comparison.outcome == WORSE and task.is_post_hoc(best.strategy):
        return "use the remedy"
    if best.outcome == BETTER:
        return "use the remedy"
    is_finished = task.family_names == {verdict.strategy for verdict in task.family}
    if is_finished and all(verdict.outcome in (WORSE, EQUIVALENT) for verdict in task.family):
        return "keep plain training"
    return "no conclusion"


def exploratory_lead(task: TaskResults, recommendation: Recommendation | None) -> Verdict | None:
    """Return the exploratory strategy that gains most, where it gains more than the best of the family."""
    lead = task.largest_gain([verdict for verdict in task.verdicts.values() if is_exploratory(verdict)])
    if lead is None or (recommendation is not None and task.gain(lead) <= task.gain(recommendation.best)):
        return None
    return lead
