"""One task as the page's sections read it: the objective at every seed, and the verdicts against `none`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.metrics.selection_metric import Direction, SelectionMetric
from bench.records.predictions import PredictedClasses
from bench.records.record import RAW, TaskFacts
from bench.report.figures import Drawn, figure_stem
from bench.report.frame import PLAIN, Outcome, Results
from bench.report.page.best import Choice, choice
from bench.report.page.part import Drawing
from bench.report.page.resampling import resampled
from bench.stats import (
    Comparison,
    Interval,
    Split,
    Verdict,
    compare,
    split_of,
)
from bench.text.numbers import file_stem

PredictedOf = Callable[[str], PredictedClasses | None]
"""What the training of an id predicts on test; None where that was not kept."""

FREE = ("thresholds", "post-hoc-adjustment", "prior-correction")
"""Adjustments of plain training's finished logits that every remedy is to be compared with."""


class StepCost(NamedTuple):
    """A median of rounds, with the lowest and the highest round."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Judged:
    """One task's outcomes under the study's objective."""

    results: Results
    facts: TaskFacts
    drawn: Drawn
    predicted: PredictedOf

    @property
    def metric(self) -> SelectionMetric:
        """The selection metric of this task."""
        return self.results.metrics[self.facts.task]

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """The task's rows that are not declined, by strategy, in the study's order."""
        return {each.row.strategy: each for each in self.results.of(self.facts) if each.status != "declined"}

    @cached_property
    def values(self) -> pd.DataFrame:
        """The objective, strategy x seed; NaN where a training has not finished."""
        return self.under(RAW)

    def under(self, adjustment: str) -> pd.DataFrame:
        """The objective, strategy x seed, of the trainings' logits under an adjustment; `raw`: as each row asks for."""
        seeds = sorted({seed for each in self.outcomes.values() for seed in each.row.runs})
        found = pd.DataFrame(np.nan, index=list(self.outcomes), columns=seeds, dtype=float)
        for strategy, outcome in self.outcomes.items():
            asked = outcome.row.adjustment if adjustment == RAW else adjustment
            for seed, record in outcome.records.items():
                if record.has_adjustment(asked):
                    evaluation = record.evaluation("chosen", "test", asked)
                    found.at[strategy, seed] = self.metric.value(evaluation.confusion, evaluation.entities)
        return found

    @cached_property
    def means(self) -> pd.Series[float]:
        """The objective's mean over seeds of each complete strategy, the best first."""
        complete = self.values.dropna().mean(axis=1)
        return complete.sort_values(ascending=self.metric.direction == "down", kind="stable")

    @property
    def split(self) -> Split:
        """Whether each seed splits the data anew."""
        return split_of(self.facts.resplit)

    @cached_property
    def primary(self) -> list[str]:
        """The declared part of the family whose verdicts are together wrong in at most 5% of studies without a difference."""
        return [each for each in self.results.study.primary_family(self.facts.task) if each in self.outcomes]

    @cached_property
    def free(self) -> list[str]:
        """Plain training with its finished logits adjusted: no training more, thresholds first. They join the family."""
        found = [name for name in self.outcomes if self.is_free(name)]
        return sorted(found, key=lambda name: _place(self.outcomes[name].row.adjustment))

    def is_free(self, strategy: str) -> bool:
        """Whether a row only adjusts plain training's finished logits."""
        return self.outcomes[strategy].row.trained_as == PLAIN

    @cached_property
    def comparison(self) -> Comparison:
        """Every strategy against `none`."""
        return self.against(self.values, PLAIN)

    def against(self, values: pd.DataFrame, baseline: str, direction: Direction | None = None) -> Comparison:
        """Every strategy of a table strategy x seed against one of its rows, by the objective's direction if none is given."""
        if baseline not in values.index:
            return Comparison(baseline, [], [], {}, f"the task has no row {baseline} to compare with")
        return compare(
            values,
            baseline=baseline,
            primary=[each for each in self.primary if each in values.index],
            post_hoc=[each for each in self.free if each in values.index],
            split=self.split,
            direction=direction or self.metric.direction,
        )

    def by_measure(self, measure: str) -> Comparison:
        """Every strategy against `none` by one of `MEASURES` in place of the objective: the larger, the better."""
        found = self.results.runs.query("task == @self.facts.task")
        values = found.pivot(index="strategy", columns="seed", values=measure)
        return self.against(values.reindex(self.values.index), PLAIN, "up")  # what is not complete counts in its family

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts against `none` by strategy."""
        return {verdict.strategy: verdict for verdict in self.comparison.verdicts}

    @cached_property
    def family(self) -> list[Verdict]:
        """Those that are held together."""
        return [each for each in self.verdicts.values() if each.family != "exploratory"]

    @cached_property
    def chosen(self) -> Choice | None:
        """The strategy to speak of."""
        return choice(self)

    @cached_property
    def resampled(self) -> list[Interval]:
        """The chosen strategy against `none` on resampled test sentences: all seeds, then each; empty without predictions."""
        return [] if self.chosen is None else resampled(self, self.chosen.verdict.strategy)

    def gain(self, verdict: Verdict) -> float:
        """The difference to the baseline, above 0 where it is on the good side."""
        return verdict.difference if self.metric.direction == "up" else -verdict.difference

    @property
    def not_defined(self) -> str:
        """Why the objective cannot be had on this task; empty if it can."""
        try:
            self.values  # noqa: B018
        except InputError as error:
            return str(error)
        return ""

    def step_cost(self, strategy: str) -> StepCost:
        """Seconds a training step over those of `none`; NaN where it was not measured. What only adjusts `none` costs 1."""
        if strategy == PLAIN or self.is_free(strategy):
            return StepCost(1.0, 1.0, 1.0)
        found = self.results.cost(self.facts).get(strategy, {})
        return StepCost(
            *(found.get(name, np.nan) for name in ("step_ratio", "lowest_step_ratio", "highest_step_ratio"))
        )

    @property
    def anchor(self) -> str:
        """The task's own id in the page; no two tasks share one."""
        number = self.results.study.tasks.index(self.facts) + 1
        return f"{number}-{file_stem(self.facts.task).replace('.', '_')}"

    def drawing(self, name: str, alt: str) -> Drawing:
        """One of the figures that are files too."""
        task = self.facts.task
        return Drawing(self.drawn[task, name], self.name(name), alt, f"figures/{figure_stem(name, task)}.png")

    def name(self, topic: str) -> str:
        """The id of one of the task's figures, tables or sections, fit for a file's name too."""
        return f"{topic}-{self.anchor}"


def kind(adjustment: str) -> str:
    """Its name, whatever it is set to."""
    return adjustment.partition("(")[0]


def _place(adjustment: str) -> int:
    """Where it comes among what is free."""
    return FREE.index(kind(adjustment)) if kind(adjustment) in FREE else len(FREE)
