"""Which learner and remedy to use, chosen on validation alone: of all that are as good as the best, the simplest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from bench.errors import InputError
from bench.metrics.metric import Direction
from bench.metrics.selection_metric import SelectionMetric
from bench.records.record import VALIDATION_LABELS_ADDED, TaskFacts
from bench.report.frame import StrategyOutcome, StudyResults
from bench.report.task_results import COST_MARGIN, TaskResults
from bench.report.titles import BASELINE
from bench.stats import DEFAULT_MARGIN, Resplit, Split, ties_with_best

ON_VALIDATION = "validation"
"""`Study.chosen_on` of a study whose learner and remedy are chosen on validation, and only confirmed on test."""

Kind: TypeAlias = Literal["plain training", "post-hoc baseline", "trained remedy", "ensemble"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The simplest first."""
FEWEST_LABELS = 10
"""Validation labels of a class, in all seeds together, from which finding none of them tells something."""


@dataclass(frozen=True)
class Candidate:
    """A learner with a strategy, and its metric on validation."""

    block: str
    """The task with its learner: the key of its runs in plan, records and report."""
    learner: str
    """The model of the protocol."""
    strategy: str
    kind: Kind
    trained_as: str
    """The strategy that its runs were trained with; `strategy` itself, unless that only adjusts logits."""
    configuration: str
    """Label of the chosen configuration; empty where the strategy is not tuned."""
    adjustment: str
    """The adjustment of its logits; `raw` for none."""
    runs: dict[int, str]
    """The id of each seed's run."""
    validation: dict[int, float]
    """The metric on validation by seed, of the checkpoint that was chosen there."""
    missed: frozenset[str] = frozenset()
    """Classes of which it finds no item on validation, under any seed, though there are `FEWEST_LABELS` in all."""

    @property
    def validation_mean(self) -> float:
        """The metric's mean over seeds on validation."""
        return float(np.mean(list(self.validation.values())))


@dataclass(frozen=True)
class Choice:
    """What to use, and what it was chosen from."""

    chosen: Candidate
    leader: Candidate
    """The one with the best mean on validation: `chosen` itself, or what is not clearly better than it."""
    candidates: list[Candidate]
    """All of them, the best mean on validation first."""
    tied: list[Candidate]
    """Those that are as good as the leader, the leader included."""
    margin: float
    """The difference on validation that is too small to matter."""

    @property
    def learners(self) -> list[str]:
        """The learners that were compared, the best first."""
        return list(dict.fromkeys(candidate.learner for candidate in self.candidates))

    @property
    def has_trained_remedy(self) -> bool:
        """Whether it was chosen from anything but plain training and adjustments of its logits."""
        return any(candidate.kind in ("trained remedy", "ensemble") for candidate in self.candidates)


def choose_on_validation(results: StudyResults) -> Choice | None:
    """Return the learner and strategy to use; None where no strategy has finished, or no learner has the metric on both parts.

    Candidates are all strategies of all learners of which every seed has finished and has a validation part. The leader has the
    best mean over seeds. Of all that are as good as the leader, and as the best of their own learner
    (`bench.stats.ties_with_best`), the simplest is chosen: plain training before post-hoc baselines, these before trained
    remedies, and ensembles last; of several of a kind, the best. What finds no item of a class of which the leader finds some is
    not as good, however few seeds and labels there are to show it.

    Nothing is read from test, but that the metric is defined there.
    """
    candidates = [
        candidate
        for facts in results.study.tasks
        if not TaskResults(results, facts, {}).metric_error
        for outcome in results.outcomes_of(facts)
        if (candidate := _candidate(results, facts, outcome)) is not None
    ]
    if not candidates:
        return None
    facts = next(facts for facts in results.study.tasks if facts.task == candidates[0].block)
    direction = results.metrics[facts.task].direction
    return choose(candidates, direction, validation_split(facts), results.study.margin)


def choose(candidates: Sequence[Candidate], direction: Direction, split: Split, margin: float | None) -> Choice:
    """Choose the simplest of the candidates that are as good as the best.

    `split` tells whether each seed has a validation part of its own. `margin` None: .01, or 1% of the mean of plain training if
    lower is better.
    """
    if margin is None:
        margin = _default_margin(candidates, direction)
    sign = 1 if direction == "up" else -1
    ranked = sorted(candidates, key=lambda candidate: -sign * candidate.validation_mean)
    seeds = sorted(set.intersection(*(set(candidate.validation) for candidate in ranked)))
    if seeds:

        def as_good(group: list[Candidate]) -> list[Candidate]:
            scores = [[candidate.validation[seed] for seed in seeds] for candidate in group]
            ties = ties_with_best(scores, split=split, direction=direction, margin=margin)
            return [candidate for candidate, tie in zip(group, ties, strict=True) if tie]

        # Two learners differ from seed to seed by more than two remedies of one learner do, which the seeds can tell apart.
        learners = {candidate.learner for candidate in ranked}
        of_learner = {name: as_good([one for one in ranked if one.learner == name]) for name in learners}
        tied = [
            candidate
            for candidate in as_good(ranked)
            if candidate in of_learner[candidate.learner] and candidate.missed <= ranked[0].missed
        ]
    else:  # no seed is common to all
        tied = ranked[:1]
    simplest = min(tied, key=lambda candidate: KINDS.index(candidate.kind))  # the first of equals, which is the best
    return Choice(simplest, ranked[0], ranked, tied, margin)


def _default_margin(candidates: Sequence[Candidate], direction: Direction) -> float:
    plain = [candidate.validation_mean for candidate in candidates if candidate.kind == "plain training"]
    if direction == "up" or not plain:
        return DEFAULT_MARGIN
    return abs(min(plain)) * COST_MARGIN or DEFAULT_MARGIN


def validation_split(facts: TaskFacts) -> Split:
    """Return how the validation parts of different seeds overlap: as the test parts do, but with the items of validation."""
    if facts.resplit is None:
        return "fixed"
    in_test, outside_test = facts.resplit
    in_validation = max(1, outside_test - facts.items)
    return Resplit(in_validation, in_test + outside_test - in_validation)


def _candidate(results: StudyResults, facts: TaskFacts, outcome: StrategyOutcome) -> Candidate | None:
    """Return a strategy of a block with its metric on validation; None where it has not finished, or has no such metric."""
    planned = outcome.planned
    if outcome.status != "complete" or planned.strategy == VALIDATION_LABELS_ADDED:
        return None
    try:
        scores = _validation_scores(outcome, results.metrics[facts.task])
    except InputError:
        return None
    return Candidate(
        facts.task,
        results.learner(facts),
        planned.strategy,
        _kind(outcome),
        planned.trained_as or planned.strategy,
        planned.configuration,
        planned.adjustment,
        planned.runs,
        scores,
        _missed_classes(outcome, facts),
    )


def _validation_scores(outcome: StrategyOutcome, metric: SelectionMetric) -> dict[int, float]:
    adjustment = outcome.planned.adjustment
    return {
        seed: metric.value(record.evaluation("chosen", "valid", adjustment)) for seed, record in outcome.records.items()
    }


def _missed_classes(outcome: StrategyOutcome, facts: TaskFacts) -> frozenset[str]:
    """Return the classes of which no item of validation is found under any seed."""
    adjustment = outcome.planned.adjustment
    confusions = [record.evaluation("chosen", "valid", adjustment).confusion for record in outcome.records.values()]
    confusion = np.sum(confusions, axis=0)
    labels, found = confusion.sum(axis=1), np.diag(confusion)
    classes = zip(facts.class_names, labels, found, strict=True)
    return frozenset(name for name, count, hits in classes if count >= FEWEST_LABELS and not hits)


def _kind(outcome: StrategyOutcome) -> Kind:
    planned = outcome.planned
    if planned.is_ensemble:
        return "ensemble"
    if planned.strategy == BASELINE:
        return "plain training"
    return "post-hoc baseline" if planned.trained_as == BASELINE else "trained remedy"
