"""The results of a study as data frames: the outcome of every planned strategy, and the numbers of the complete ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from bench.metrics.classification import compute_class_metrics, compute_metrics, find_present
from bench.metrics.instability import prediction_instability
from bench.metrics.metric import DEFAULT, find_title
from bench.metrics.selection_metric import SelectionMetric
from bench.records.predictions import PredictionsOf, no_predictions
from bench.records.record import RAW, Cost, Failure, PlannedStrategy, Record, Study, TaskFacts
from bench.report.task_metrics import resolve_metrics
from bench.report.titles import BASELINE, COSTS, MEASURES, SAMPLING
from bench.text.lines import one_line

_RUN = ["task", "strategy", "seed"]
_CLASS_NUMBERS = ["recall", "precision", "test_labels", "drawn_share"]


@dataclass(frozen=True)
class StrategyOutcome:
    """A planned strategy with the record of every seed that has one, and for every other seed the reason why not."""

    planned: PlannedStrategy
    records: dict[int, Record]
    missing: dict[int, str]

    @property
    def strategy(self) -> str:
        """The strategy's id."""
        return self.planned.strategy

    @property
    def status(self) -> Literal["complete", "incomplete", "skipped"]:
        """Whether every planned seed has a record; only complete strategies are averaged."""
        if self.planned.skipped is not None:
            return "skipped"
        return "complete" if self.records and not self.missing else "incomplete"

    @property
    def seeds_finished(self) -> str:
        """ "4 of 5": how many of the planned seeds have a record."""
        return f"{len(self.records)} of {len(self.planned.runs)}"

    @property
    def not_converged(self) -> int:
        """How many finished seeds have a last checkpoint that is better than all before."""
        return sum(not record.converged for record in self.records.values())

    @property
    def reason(self) -> str:
        """Why the strategy is not complete, with the seeds of each reason; empty if it is complete."""
        if self.planned.skipped is not None:
            return one_line(self.planned.skipped)
        if not self.planned.runs:
            return "no run is planned"
        reasons = seeds_by_text(self.missing.items())
        return "; ".join(f"{format_seeds(seeds)}: {reason}" for reason, seeds in reasons.items())

    @property
    def warnings(self) -> dict[str, list[int]]:
        """What the strategy warned of, with the seeds of each warning."""
        return seeds_by_text(
            (seed, one_line(note))
            for seed, record in self.records.items()
            for note in (*record.notes, *record.adjustment_notes(self.planned.adjustment))
        )


@dataclass(frozen=True)
class StudyResults:
    """All that tables, figures and page show; the frames hold the runs of complete strategies only.

    `runs` has one line per run, `classes` one per run and class, `curves` one per run and validation.
    """

    study: Study
    outcomes: list[StrategyOutcome]
    runs: pd.DataFrame
    classes: pd.DataFrame
    curves: pd.DataFrame
    costs: dict[tuple[str, str], Cost]
    metrics: Mapping[str, SelectionMetric]
    """The selection metric of each task."""
    predictions: PredictionsOf = no_predictions
    """The test predictions of a run by its id."""

    @cached_property
    def instability(self) -> dict[tuple[str, str], float]:
        """The share of test labels whose predicted class changes from seed to seed, by task and complete strategy.

        Strategies are left out that have one seed, or whose predictions were not all kept or share no items.
        """
        resplit = {facts.task: facts.resplit is not None for facts in self.study.tasks}
        by_runs: dict[tuple[str, ...], list[StrategyOutcome]] = {}
        for outcome in self.outcomes:
            if outcome.status == "complete":
                by_runs.setdefault(tuple(record.id for record in outcome.records.values()), []).append(outcome)
        shares = {}
        for runs, outcomes in by_runs.items():
            kept = [self.predictions(id) for id in runs]  # read once for all adjustments of these runs
            for outcome in outcomes:
                task, adjustment = outcome.planned.task, outcome.planned.adjustment
                by_seed = [(run.truth, run.classes[adjustment]) for run in kept if run and adjustment in run.classes]
                if len(by_seed) == len(kept):
                    share = prediction_instability(by_seed, resplit=resplit[task])
                    if share is not None:
                        shares[task, outcome.strategy] = share
        return shares

    def outcomes_of(self, facts: TaskFacts) -> list[StrategyOutcome]:
        """Return the outcomes of one task, in the study's order."""
        return [outcome for outcome in self.outcomes if outcome.planned.task == facts.task]

    def learner(self, facts: TaskFacts) -> str:
        """Return the model of a task; empty in studies from before protocols were kept."""
        return facts.learner or str(self.study.protocols.get(facts.task, {}).get("model", ""))

    def strategies_with_runs(self, facts: TaskFacts) -> list[str]:
        """Return one complete strategy for each set of runs, in the study's order.

        Strategies that differ only in how they adjust finished logits share their runs. The one that adjusts nothing stands
        for them, or else the first.
        """
        complete = [outcome.planned for outcome in self.outcomes_of(facts) if outcome.status == "complete"]
        representatives: dict[frozenset[str], str] = {}
        for planned in sorted(complete, key=lambda planned: planned.adjustment != RAW):
            representatives.setdefault(frozenset(planned.runs.values()), planned.strategy)
        return [planned.strategy for planned in complete if planned.strategy in representatives.values()]

    def checkpoint_metrics(self, facts: TaskFacts) -> dict[str, list[str]]:
        """Return the metrics that chose the checkpoints of a task, by name, with the strategies of each."""
        metric = self.metrics[facts.task]
        chosen: dict[str, list[str]] = {}
        for outcome in self.outcomes_of(facts):
            for identity in dict.fromkeys(record.chosen_by for record in outcome.records.values()):
                name = metric.name if identity == metric.identity else identity.partition(" ")[0]
                chosen.setdefault(name, []).append(outcome.strategy)
        return chosen or {metric.name: []}

    def checkpoint_metric_title(self, *tasks: TaskFacts) -> str:
        """Return the titles of the metrics that chose the checkpoints of these tasks (all of the study if none is given)."""
        names = [name for facts in tasks or self.study.tasks for name in self.checkpoint_metrics(facts)]
        return " and ".join(map(find_title, dict.fromkeys(names or [DEFAULT])))

    def means(self, facts: TaskFacts) -> pd.DataFrame:
        """Return mean and sd of every metric by strategy, the highest macro-F1 first."""
        means = _mean_sd(_of_task(self.runs, facts), ["strategy"], list(MEASURES))
        return means.sort_values("macro_f1_mean", ascending=False, kind="stable")

    def by_class(self, facts: TaskFacts) -> pd.DataFrame:
        """Return mean and sd of recall, precision and share of sampled labels by strategy and class, in the study's order."""
        return _mean_sd(_of_task(self.classes, facts), ["strategy", "class"], _CLASS_NUMBERS)

    def absent_from_test(self, facts: TaskFacts) -> dict[str, list[int]]:
        """Return the classes without a label in test, with the seeds of each; no seeds where it lacks in all of them."""
        lines = _of_task(self.classes, facts)
        absent = lines[lines["test_labels"] == 0]
        seeds = {name: sorted(set(absent["seed"][absent["class"] == name])) for name in facts.class_names}
        everywhere = sorted(set(lines["seed"]))
        return {name: [] if found == everywhere else found for name, found in seeds.items() if found}

    def sampling(self, facts: TaskFacts) -> pd.DataFrame:
        """Return mean and sd of every sampling statistic by strategy, in the study's order."""
        return _mean_sd(_of_task(self.runs, facts), ["strategy"], list(SAMPLING))

    def costs_of(self, facts: TaskFacts) -> dict[str, dict[str, float]]:
        """Return the measured costs by strategy and column, NaN where a column means nothing.

        A post-hoc adjustment costs what the adjusted strategy costs.
        """
        costs = {}
        for outcome in self.outcomes_of(facts):
            planned = outcome.planned
            cost = self.costs.get((planned.task, planned.trained_as or planned.strategy))
            if cost is not None:
                costs[planned.strategy] = {name: _or_nan(getattr(cost, name)) for name in COSTS}
        return costs


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


class _FinishedRun(NamedTuple):
    """One run of a complete strategy."""

    planned: PlannedStrategy
    facts: TaskFacts
    seed: int
    record: Record


def collect_results(
    study: Study,
    records: Iterable[Record],
    failures: Iterable[Failure],
    costs: Iterable[Cost],
    metrics: Mapping[str, SelectionMetric] | None = None,
    predictions: PredictionsOf = no_predictions,
) -> StudyResults:
    """Return the study's strategies with their records; records that the study does not plan are left out.

    `metrics` is the selection metric of each task; None: the study's own. `predictions` returns the test predictions of a run.

    Raises ValueError if the study plans a strategy on a task of which it has no facts.
    """
    records_by_id = {record.id: record for record in records}
    failures_by_id: dict[str, set[str]] = {}
    for failure in failures:
        failures_by_id.setdefault(failure.id, set()).add(one_line(failure.reason))

    tasks = {facts.task: facts for facts in study.tasks}
    if unknown := sorted({planned.task for planned in study.strategies} - tasks.keys()):
        raise ValueError(f"the study plans strategies on tasks of which it has no facts: {', '.join(unknown)}")

    planned_strategies = [*study.strategies, *_post_hoc_baselines(study.strategies)]
    outcomes = [_outcome(planned, records_by_id, failures_by_id) for planned in planned_strategies]
    finished = [
        _FinishedRun(outcome.planned, tasks[outcome.planned.task], seed, record)
        for outcome in outcomes
        if outcome.status == "complete"
        for seed, record in outcome.records.items()
    ]
    class_lines = [line for run in finished for line in _class_lines(run)]
    curve_lines = [line for run in finished for line in _curve_lines(run)]
    return StudyResults(
        study,
        outcomes,
        _frame([*_RUN, "converged"], [*MEASURES, *SAMPLING], [_run_line(run) for run in finished]),
        _frame([*_RUN, "class"], _CLASS_NUMBERS, class_lines),
        _frame([*_RUN, "chosen"], ["step", "score"], curve_lines),
        {(cost.task, cost.strategy): cost for cost in costs},
        resolve_metrics(study) if metrics is None else metrics,
        predictions,
    )


def _post_hoc_baselines(strategies: list[PlannedStrategy]) -> Iterator[PlannedStrategy]:
    """Yield each post-hoc adjustment of the baseline as a strategy of its own, unless the study plans it already."""
    known = {(planned.task, planned.strategy) for planned in strategies}
    known |= {(planned.task, planned.adjustment) for planned in strategies if planned.trained_as == BASELINE}
    for baseline in strategies:
        if baseline.strategy != BASELINE:
            continue
        for adjustment, why_skipped in baseline.post_hoc.items():
            if (baseline.task, adjustment) not in known:
                yield PlannedStrategy(
                    baseline.task,
                    adjustment,
                    baseline.runs,
                    why_skipped,
                    adjustment,
                    BASELINE,
                    configuration=baseline.configuration,
                )


def rows_by_index(frame: pd.DataFrame) -> dict[Any, dict[str, Any]]:
    """Return each row of a frame as a dict by column, keyed by its index."""
    rows: dict[Any, Any] = frame.to_dict("index")
    return rows


def seeds_by_text(pairs: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Return the seeds of each text, texts and seeds once each and in order of appearance."""
    seeds: dict[str, list[int]] = {}
    for seed, text in pairs:
        if seed not in seeds.setdefault(text, []):
            seeds[text].append(seed)
    return seeds


def format_seeds(seeds: list[int]) -> str:
    """Return "seed 2" or "seeds 0, 3"."""
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def _outcome(planned: PlannedStrategy, records: dict[str, Record], failures: dict[str, set[str]]) -> StrategyOutcome:
    finished: dict[int, Record] = {}
    missing: dict[int, str] = {}
    for seed, id in planned.runs.items():
        record = records.get(id)
        if record is not None and record.has_adjustment(planned.adjustment):
            finished[seed] = record
        else:
            no_failure = (
                "not trained yet"
                if record is None
                else "trained, but not evaluated with this version of the adjustment"
            )
            missing[seed] = " / ".join(sorted(failures.get(id, {no_failure})))
    return StrategyOutcome(planned, finished, missing)


def _run_line(run: _FinishedRun) -> tuple[Any, ...]:
    """Return the line of `StudyResults.runs`."""
    evaluation = run.record.evaluation("chosen", "test", run.planned.adjustment)
    numbers = compute_metrics(evaluation.confusion, evaluation.nll, evaluation.entities, evaluation.probabilities)
    sampled = run.record.sampling
    size = np.nan if sampled.effective_sample_size is None else sampled.effective_sample_size
    return (
        *(run.planned.task, run.planned.strategy, run.seed, run.record.converged),
        *(numbers.get(name, np.nan) for name in MEASURES),
        *(sampled.items, sampled.labels, sampled.coverage, size, size / run.facts.items),
    )


def _class_lines(run: _FinishedRun) -> list[tuple[Any, ...]]:
    """Return the lines of `StudyResults.classes`.

    NaN are the recall of a class that does not occur in test, and the precision of one that is not predicted either.
    """
    confusion = run.record.evaluation("chosen", "test", run.planned.adjustment).confusion
    scores = compute_class_metrics(confusion)
    recall = np.where(scores.support > 0, scores.recall, np.nan)
    precision = np.where(find_present(confusion), scores.precision, np.nan)
    sampled = run.record.sampling.by_class
    share = np.asarray(sampled) / max(sum(sampled), 1)
    columns = zip(run.record.class_names, recall, precision, scores.support, share, strict=True)
    return [(run.planned.task, run.planned.strategy, run.seed, *values) for values in columns]


def _curve_lines(run: _FinishedRun) -> list[tuple[Any, ...]]:
    """Return the lines of `StudyResults.curves`."""
    return [
        (run.planned.task, run.planned.strategy, run.seed, step == run.record.chosen_step, step, value)
        for step, value in run.record.curve
    ]


def _frame(keys: list[str], numbers: list[str], lines: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=[*keys, *numbers]).astype(dict.fromkeys(numbers, float))


def _of_task(frame: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    return frame[frame["task"] == facts.task]


def _mean_sd(frame: pd.DataFrame, by: list[str], values: list[str]) -> pd.DataFrame:
    """Return mean and sample standard deviation as columns `*_mean` and `*_sd`, indexed by `by`; the sd of one seed is NaN."""
    groups = frame.groupby(by, sort=False)[values]
    mean, sd = groups.mean().add_suffix("_mean"), groups.std(ddof=1).add_suffix("_sd")
    return pd.concat([mean, sd], axis=1)[[f"{value}_{what}" for value in values for what in ("mean", "sd")]]
