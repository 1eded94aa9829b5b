"""The results of one task as the report's sections read them: the metric of every seed, and the verdicts against the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.metrics.metric import DEFAULT, Direction
from bench.metrics.selection_metric import SelectionMetric
from bench.records.record import RAW, RECALIBRATIONS, VALIDATION_LABELS_ADDED, TaskFacts
from bench.report import wording
from bench.report.figures import Figures, figure_stem
from bench.report.frame import StrategyOutcome, StudyResults
from bench.report.page_parts import Chart
from bench.report.protocol_fields import is_estimator
from bench.report.titles import BASELINE, display_name
from bench.stats import DEFAULT_MARGIN, Comparison, Split, Verdict, compare, split_of
from bench.text.file_names import anchor_of

THRESHOLDS = "thresholds"
POST_HOC = (THRESHOLDS, "post-hoc-adjustment", "prior-correction")
"""Adjustments of the baseline's logits that every remedy should be compared with, in the order of the report."""

COST_MARGIN = 0.01
"""The share of the baseline's mean cost that is too small to matter, where the metric is a cost and no margin was given."""


class RelativeStepTime(NamedTuple):
    """Seconds per training step over those of the baseline: the median of the rounds, the lowest and the highest."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class TaskResults:
    """Outcomes of one task's strategies, and what the study's metric says about them."""

    results: StudyResults
    facts: TaskFacts
    figures: Figures

    @property
    def metric(self) -> SelectionMetric:
        """The selection metric of this task."""
        return self.results.metrics[self.facts.task]

    @property
    def metric_title(self) -> str:
        """The metric's name as prose writes it."""
        return wording.metric_title(self.metric.name)

    @property
    def is_of_estimator(self) -> bool:
        """Whether the learner is an estimator of scikit-learn."""
        return is_estimator(self.results.study.protocols.get(self.facts.task, {}))

    @cached_property
    def margin(self) -> float:
        """The difference in the metric that is too small to matter: the study's, or .01, or 1% of the baseline's mean cost."""
        if self.results.study.margin is not None:
            return self.results.study.margin
        if self.metric.direction == "up" or BASELINE not in self.means:
            return DEFAULT_MARGIN
        return abs(self.means[BASELINE]) * COST_MARGIN or DEFAULT_MARGIN

    @property
    def metric_error(self) -> str:
        """Why the metric is not defined on this task; empty if it is."""
        try:
            self.values  # noqa: B018
        except InputError as error:
            return str(error)
        return ""

    @cached_property
    def outcomes(self) -> dict[str, StrategyOutcome]:
        """Outcomes by strategy, in the study's order, without skipped strategies."""
        outcomes = self.results.outcomes_of(self.facts)
        return {outcome.planned.strategy: outcome for outcome in outcomes if outcome.planned.skipped is None}

    @cached_property
    def values(self) -> pd.DataFrame:
        """The metric by strategy (rows) and seed (columns); NaN where a run has not finished."""
        return self.values_under(RAW)

    def values_under(self, adjustment: str) -> pd.DataFrame:
        """Return the metric by strategy and seed with this adjustment of every run's logits; `raw`: each strategy's own."""
        seeds = sorted({seed for outcome in self.outcomes.values() for seed in outcome.planned.runs})
        values = pd.DataFrame(np.nan, index=list(self.outcomes), columns=seeds, dtype=float)
        for strategy, outcome in self.outcomes.items():
            asked = outcome.planned.adjustment if adjustment == RAW else adjustment
            for seed, record in outcome.records.items():
                if record.has_adjustment(asked):
                    evaluation = record.evaluation("chosen", "test", asked)
                    values.at[strategy, seed] = self.metric.value(evaluation)
        return values

    @cached_property
    def means(self) -> pd.Series[float]:
        """The metric's mean over seeds of each complete strategy, the best first."""
        complete = self.values.dropna().mean(axis=1)
        return complete.sort_values(ascending=self.metric.direction == "down", kind="stable")

    @property
    def split(self) -> Split:
        """Whether each seed splits the data anew."""
        return split_of(self.facts.resplit)

    @cached_property
    def primary(self) -> list[str]:
        """The strategies that the study declares as primary, without skipped ones."""
        return [name for name in self.results.study.primary_family(self.facts.task) if name in self.outcomes]

    @cached_property
    def post_hoc(self) -> list[str]:
        """The post-hoc baselines, thresholds first; they belong to the family of comparisons.

        Recalibrations are among them only where the suite declares them as primary (`bench.records.record.RECALIBRATIONS`).
        """
        names = [name for name in self.outcomes if self.is_post_hoc(name) and not self._is_aside(name)]
        return sorted(names, key=lambda name: _post_hoc_position(self.outcomes[name].planned.adjustment))

    @property
    def baselines_to_beat(self) -> list[str]:
        """The post-hoc baselines, and plain training with the validation labels added: what whoever has them could do instead."""
        return [*self.post_hoc, *({VALIDATION_LABELS_ADDED} & self.outcomes.keys())]

    def _is_aside(self, strategy: str) -> bool:
        is_recalibration = adjustment_name(self.outcomes[strategy].planned.adjustment) in RECALIBRATIONS
        return is_recalibration and strategy not in self.primary

    def is_post_hoc(self, strategy: str) -> bool:
        """Whether the strategy is a post-hoc baseline: plain training whose logits are adjusted afterwards."""
        return self.outcomes[strategy].planned.trained_as == BASELINE

    @property
    def family_names(self) -> set[str]:
        """All strategies that Holm's correction counts, finished or not: primary ones and post-hoc baselines."""
        return {*self.primary, *self.post_hoc}

    @cached_property
    def comparison(self) -> Comparison:
        """Every strategy against the baseline."""
        return self.compare(self.values, BASELINE)

    def compare(
        self, values: pd.DataFrame, baseline: str, direction: Direction | None = None, margin: float | None = None
    ) -> Comparison:
        """Compare every row of a table strategy x seed with one of its rows; direction and margin are the metric's by default."""
        if baseline not in values.index:
            return Comparison(baseline, [], [], {}, wording.NO_BASELINE.format(baseline=display_name(baseline)))
        return compare(
            values,
            baseline=baseline,
            primary=[name for name in self.primary if name in values.index],
            post_hoc=[name for name in self.baselines_to_beat if name in values.index],
            split=self.split,
            direction=direction or self.metric.direction,
            margin=margin or self.margin,
        )

    def compare_by_measure(self, measure: str) -> Comparison:
        """Compare every strategy with the baseline by one of `MEASURES` instead of the metric; larger is better."""
        runs = self.results.runs.query("task == @self.facts.task")
        values = runs.pivot(index="strategy", columns="seed", values=measure)
        # Incomplete strategies stay in the table: they count in their family.
        return self.compare(values.reindex(self.values.index), BASELINE, "up", DEFAULT_MARGIN)

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts against the baseline by strategy."""
        return {verdict.strategy: verdict for verdict in self.comparison.verdicts}

    @cached_property
    def family(self) -> list[Verdict]:
        """The verdicts on the remedies whose p values are corrected together.

        Plain training with the validation labels added counts in the correction, but it is no remedy.
        """
        verdicts = self.verdicts.values()
        return [
            verdict for verdict in verdicts if not (is_exploratory(verdict) or verdict is self.validation_labels_added)
        ]

    @property
    def validation_labels_added(self) -> Verdict | None:
        """The verdict on plain training with the validation labels added to training; None where there is none."""
        return self.verdicts.get(VALIDATION_LABELS_ADDED)

    def gain(self, verdict: Verdict) -> float:
        """Return the difference to the baseline, positive where the strategy is better."""
        return verdict.difference if self.metric.direction == "up" else -verdict.difference

    def largest_gain(self, verdicts: list[Verdict]) -> Verdict | None:
        """Return the verdict with the largest gain, the first of equals; None of an empty list."""
        return max(verdicts, key=self.gain, default=None)

    def relative_step_time(self, strategy: str) -> RelativeStepTime:
        """Return the strategy's relative step time: NaN where it was not measured, 1 for what is trained as the baseline."""
        if strategy in (BASELINE, VALIDATION_LABELS_ADDED) or self.is_post_hoc(strategy):
            return RelativeStepTime(1.0, 1.0, 1.0)
        cost = self.results.costs_of(self.facts).get(strategy, {})
        return RelativeStepTime(
            *(cost.get(name, np.nan) for name in ("step_ratio", "lowest_step_ratio", "highest_step_ratio"))
        )

    @property
    def anchor(self) -> str:
        """The task's id in the page: the same in every study, different for every task."""
        return anchor_of(self.facts.task)

    def row_anchor(self, strategy: str) -> str:
        """Return the id of a strategy of this task, such as `conll2003-windows--focal`."""
        return f"{self.anchor}--{anchor_of(strategy)}"

    def part_name(self, topic: str) -> str:
        """Return the id of one of the task's figures, tables or sections; it is a file name too."""
        return f"{topic}-{self.anchor}"

    def figure_file(self, name: str, alt: str) -> Chart:
        """Return one of the figures that are written as files too."""
        task = self.facts.task
        return Chart(self.figures[task, name], self.part_name(name), alt, f"figures/{figure_stem(name, task)}.png")


def is_exploratory(verdict: Verdict) -> bool:
    """Whether the verdict is outside the family that is corrected together."""
    return verdict.family == "exploratory"


def adjustment_name(adjustment: str) -> str:
    """Return an adjustment's name without its parameters."""
    return adjustment.partition("(")[0]


def thresholds_metric(adjustment: str) -> str:
    """Return the metric that thresholds are tuned for.

    >>> thresholds_metric("thresholds"), thresholds_metric("thresholds(balanced-accuracy)")
    ('macro-f1', 'balanced-accuracy')
    """
    return adjustment.removeprefix(THRESHOLDS).strip("()") or DEFAULT


def _post_hoc_position(adjustment: str) -> int:
    name = adjustment_name(adjustment)
    return POST_HOC.index(name) if name in POST_HOC else len(POST_HOC)
