"""What test says of the choice that validation made: differences to everything simpler, and whether they confirm it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from bench.records.record import VALIDATION_LABELS_ADDED
from bench.report.choice_wording import FEWEST_LABELS
from bench.report.frame import StudyResults
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE
from bench.report.validation_choice import Candidate, Choice
from bench.stats import BETTER, INCONCLUSIVE, TOO_FEW_SEEDS, WORSE, Outcome, Verdict, compare, seeds_to_decide

Role: TypeAlias = Literal[
    "plain training", "best plain learner", "post-hoc baseline", "validation labels added", "leader on validation"
]
"""What the choice is compared with."""

Confirmation: TypeAlias = Literal["confirmed", "contradicted", "not confirmed", "too few seeds", "nothing to confirm"]


_IF_PLAIN: dict[Outcome, Confirmation] = {BETTER: "contradicted", INCONCLUSIVE: "not confirmed"}
_IF_REMEDY: dict[Outcome, Confirmation] = {BETTER: "confirmed", WORSE: "contradicted"}


@dataclass(frozen=True)
class RivalDifference:
    """The choice minus something else on test, paired by seed: one comparison, no family."""

    role: Role
    learner: str
    strategy: str
    verdict: Verdict
    """Of the choice; where plain training is chosen and something else leads on validation, of that leader."""


@dataclass(frozen=True)
class ChoiceOnTest:
    """The choice on test, and its differences to everything simpler; nothing here has been chosen by test."""

    choice: Choice
    mean: float
    plain_mean: float
    """Of plain training of the same learner; NaN where it has not finished."""
    differences: list[RivalDifference]
    confirmation: Confirmation
    decisive: RivalDifference | None
    """The difference that confirms: to plain training or, where that is chosen, of it to the leader on validation."""
    seeds: int | None
    """How many seeds would decide about it, where it is open; None where no number can be named."""


def report_on_test(results: StudyResults, choice: Choice) -> ChoiceOnTest:
    """Return what test says of the choice."""
    scores = _scores_on_test(results)
    ours = scores[choice.chosen.block, choice.chosen.strategy]
    task = task_of(results, choice.chosen)
    differences = []
    for role, block, learner, strategy in _rivals(choice):
        if (block, strategy) in scores:
            theirs = scores[block, strategy]
            pair = (theirs, ours) if role == "leader on validation" else (ours, theirs)
            differences.append(RivalDifference(role, learner, strategy, compare_on_test(*pair, task)))
    plain = scores.get((choice.chosen.block, BASELINE))
    decisive_role = "leader on validation" if choice.chosen.kind == "plain training" else "plain training"
    decisive = next((difference for difference in differences if difference.role == decisive_role), None)
    return ChoiceOnTest(
        choice,
        float(ours.mean()),
        np.nan if plain is None else float(plain.mean()),
        differences,
        _confirmation(choice, decisive),
        decisive,
        None if decisive is None else _seeds_to_decide(decisive.verdict, task),
    )


def task_of(results: StudyResults, candidate: Candidate) -> TaskResults:
    """Return the results of the candidate's learner."""
    return TaskResults(results, next(facts for facts in results.study.tasks if facts.task == candidate.block), {})


def _scores_on_test(results: StudyResults) -> dict[tuple[str, str], pd.Series[float]]:
    """Return the metric on test by seed of every strategy that has finished, by block and strategy."""
    scores = {}
    for facts in results.study.tasks:
        task = TaskResults(results, facts, {})
        if not task.metric_error:
            for strategy, row in task.values.dropna().iterrows():
                scores[facts.task, str(strategy)] = row
    return scores


def _rivals(choice: Choice) -> Iterator[tuple[Role, str, str, str]]:
    """Yield what the choice is compared with: role, block, learner, strategy."""
    chosen = choice.chosen
    plain = [candidate for candidate in choice.candidates if candidate.kind == "plain training"]
    if chosen.kind == "plain training" and choice.leader is not chosen:
        yield "leader on validation", choice.leader.block, choice.leader.learner, choice.leader.strategy
    if chosen.kind != "plain training":
        yield "plain training", chosen.block, chosen.learner, BASELINE
    best = next((candidate for candidate in plain if candidate.block != chosen.block), None)
    if best is not None and (chosen.kind == "plain training" or best is plain[0]):
        yield "best plain learner", best.block, best.learner, BASELINE
    for candidate in choice.candidates:
        if candidate.kind == "post-hoc baseline" and candidate.block == chosen.block and candidate is not chosen:
            yield "post-hoc baseline", candidate.block, candidate.learner, candidate.strategy
    yield "validation labels added", chosen.block, chosen.learner, VALIDATION_LABELS_ADDED


def compare_on_test(ours: pd.Series[float], theirs: pd.Series[float], task: TaskResults) -> Verdict:
    """Return the verdict on scores by seed of a choice and of something else, over the seeds that both have."""
    seeds = [seed for seed in ours.index if seed in theirs.index]
    table = pd.DataFrame([ours.loc[seeds], theirs.loc[seeds]], index=["choice", "other"])
    comparison = compare(
        table,
        baseline="other",
        primary=["choice"],
        split=task.split,
        direction=task.metric.direction,
        margin=task.margin,
    )
    return within_range(comparison.verdicts[0], task)


def within_range(verdict: Verdict, task: TaskResults) -> Verdict:
    """Return the verdict with its interval cut to what a difference can be: -1 to +1 where the metric is a share."""
    if not task.metric.is_share:
        return verdict
    low, high = np.clip([verdict.low, verdict.high], -1.0, 1.0)
    return replace(verdict, low=float(low), high=float(high))


@dataclass(frozen=True)
class LabelsOfClass:
    """How many labels a class has, means over seeds."""

    name: str
    validation: float
    test: float


def rare_classes(results: StudyResults, choice: Choice) -> list[LabelsOfClass]:
    """Return the classes with too few labels in validation or test to say much about them: fewer than `FEWEST_LABELS`."""
    task = task_of(results, choice.chosen)
    outcome = task.outcomes[choice.chosen.strategy]
    validation, test = (
        np.mean(
            [
                np.sum(record.evaluation("chosen", part, outcome.planned.adjustment).confusion, axis=1)
                for record in outcome.records.values()
            ],
            axis=0,
        )
        for part in ("valid", "test")
    )
    labels = map(LabelsOfClass, task.facts.class_names, validation.tolist(), test.tolist())
    return [each for each in labels if min(each.validation, each.test) < FEWEST_LABELS]


def has_enough_rows(results: StudyResults, choice: Choice) -> bool:
    """Whether validation and test can decide: less than half of the classes are rare there."""
    return 2 * len(rare_classes(results, choice)) < len(task_of(results, choice.chosen).facts.class_names)


def _confirmation(choice: Choice, decisive: RivalDifference | None) -> Confirmation:
    if decisive is None:
        return "nothing to confirm"
    outcome = decisive.verdict.outcome
    if outcome == TOO_FEW_SEEDS:
        return "too few seeds"
    if (
        choice.chosen.kind == "plain training"
    ):  # the leader would have to be better, to be worth more than what is simpler
        return _IF_PLAIN.get(outcome, "confirmed")
    return _IF_REMEDY.get(outcome, "not confirmed")


def _seeds_to_decide(verdict: Verdict, task: TaskResults) -> int | None:
    if verdict.outcome != INCONCLUSIVE or verdict.reason:
        return None
    return seeds_to_decide(
        verdict.difference, verdict.sd, verdict.n, margin=verdict.margin, comparisons=1, split=task.split
    )
