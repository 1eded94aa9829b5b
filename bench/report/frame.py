"""Records to tidy frames: what became of each planned row, and the numbers of the rows whose every seed has finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bench.metrics.classification import compute_class_metrics, compute_metrics
from bench.metrics.selection_metric import SelectionMetric
from bench.records.record import RAW, Cost, Failure, PlannedStrategy, Record, Study, TaskFacts
from bench.report.task_metrics import resolve_metrics
from bench.report.titles import COSTS, DRAWN, MEASURES
from bench.text.numbers import line

PLAIN = "none"
"""What every remedy is compared with."""

_KEY = ["task", "strategy", "seed"]
_OF_CLASS = ["recall", "precision", "test_labels", "drawn_share"]


@dataclass(frozen=True)
class Outcome:
    """What became of one planned row: its records by seed, and the reason for each seed that has none."""

    row: PlannedStrategy
    records: dict[int, Record]
    missing: dict[int, str]

    @property
    def status(self) -> Literal["complete", "incomplete", "declined"]:
        """Only complete rows are averaged."""
        if self.row.skipped is not None:
            return "declined"
        return "complete" if self.records and not self.missing else "incomplete"

    @property
    def finished(self) -> str:
        """ "4 of 5": seeds."""
        return f"{len(self.records)} of {len(self.row.runs)}"

    @property
    def not_converged(self) -> int:
        """Finished seeds whose chosen checkpoint is the last one."""
        return sum(not record.converged for record in self.records.values())

    @property
    def reason(self) -> str:
        """Why the row is not complete: seeds by reason; empty if it is."""
        if self.row.skipped is not None:
            return line(self.row.skipped)
        if not self.row.runs:
            return "no training is planned"
        return "; ".join(f"{seeds(where)}: {reason}" for reason, where in grouped(self.missing.items()).items())

    @property
    def notes(self) -> dict[str, list[int]]:
        """What the strategy warned of, with the seeds that it warned in."""
        return grouped((seed, line(note)) for seed, record in self.records.items() for note in record.notes)


@dataclass(frozen=True)
class Results:
    """All that tables and figures show; the frames hold complete rows only.

    `runs` has a line a training, `classes` one a training and class, `curves` one a training and validation.
    """

    study: Study
    outcomes: list[Outcome]
    runs: pd.DataFrame
    classes: pd.DataFrame
    curves: pd.DataFrame
    costs: dict[tuple[str, str], Cost]
    metrics: Mapping[str, SelectionMetric]
    """The selection metric of each task."""

    def of(self, facts: TaskFacts) -> list[Outcome]:
        """The rows of one task, in the study's order."""
        return [outcome for outcome in self.outcomes if outcome.row.task == facts.task]

    def trained(self, facts: TaskFacts) -> list[str]:
        """Complete strategies with trainings of their own: of those that share them, what adjusts nothing or the first."""
        complete = [outcome.row for outcome in self.of(facts) if outcome.status == "complete"]
        first: dict[frozenset[str], str] = {}
        for row in sorted(complete, key=lambda each: each.adjustment != RAW):
            first.setdefault(frozenset(row.runs.values()), row.strategy)
        return [row.strategy for row in complete if row.strategy in first.values()]

    def means(self, facts: TaskFacts) -> pd.DataFrame:
        """Mean and sd of every measure by strategy, by macro-F1 from high to low."""
        found = _mean_sd(_of(self.runs, facts), ["strategy"], list(MEASURES))
        return found.sort_values("macro_f1_mean", ascending=False, kind="stable")

    def by_class(self, facts: TaskFacts) -> pd.DataFrame:
        """Mean and sd of recall, precision and share of labels drawn by strategy and class, in the study's order."""
        return _mean_sd(_of(self.classes, facts), ["strategy", "class"], _OF_CLASS)

    def drawn(self, facts: TaskFacts) -> pd.DataFrame:
        """Mean and sd of what was drawn by strategy, in the study's order."""
        return _mean_sd(_of(self.runs, facts), ["strategy"], list(DRAWN))

    def cost(self, facts: TaskFacts) -> dict[str, dict[str, float]]:
        """Measured costs by strategy and column; what adjusts finished logits costs what was trained."""
        found = {}
        for outcome in self.of(facts):
            row = outcome.row
            if (cost := self.costs.get((row.task, row.trained_as or row.strategy))) is not None:
                found[row.strategy] = {name: getattr(cost, name) for name in COSTS}
        return found


def results(
    study: Study,
    records: Iterable[Record],
    failures: Iterable[Failure],
    costs: Iterable[Cost],
    metrics: Mapping[str, SelectionMetric] | None = None,
) -> Results:
    """The study's rows with what was found of them; what the study did not plan is left out.

    `metrics` is the selection metric of each task; None: the study's own, resolved here.
    """
    by_id = {record.id: record for record in records}
    failed: dict[str, set[str]] = {}
    for failure in failures:
        failed.setdefault(failure.id, set()).add(line(failure.reason))
    tasks = {facts.task: facts for facts in study.tasks}
    if strays := sorted({row.task for row in study.strategies} - tasks.keys()):
        raise ValueError(f"the study has rows, but no facts, of the tasks {', '.join(strays)}")
    outcomes = [_outcome(row, by_id, failed) for row in (*study.strategies, *_free(study.strategies))]
    finished = [
        (outcome.row, tasks[outcome.row.task], seed, record)
        for outcome in outcomes
        if outcome.status == "complete"
        for seed, record in outcome.records.items()
    ]
    return Results(
        study,
        outcomes,
        _frame([*_KEY, "converged"], [*MEASURES, *DRAWN], [_training(*each) for each in finished]),
        _frame([*_KEY, "class"], _OF_CLASS, [of_class for each in finished for of_class in _classes(*each)]),
        _frame([*_KEY, "chosen"], ["step", "macro_f1"], [point for each in finished for point in _curve(*each)]),
        {(cost.task, cost.strategy): cost for cost in costs},
        resolve_metrics(study) if metrics is None else metrics,
    )


def _free(rows: list[PlannedStrategy]) -> Iterator[PlannedStrategy]:
    """What plain training was evaluated under beside, as rows of their own: what is free is compared like any remedy."""
    there = {(row.task, row.strategy) for row in rows}
    there |= {(row.task, row.adjustment) for row in rows if row.trained_as == PLAIN}
    for row in rows:
        for adjustment, reason in row.post_hoc.items() if row.strategy == PLAIN else ():
            if (row.task, adjustment) not in there:
                yield PlannedStrategy(
                    row.task, adjustment, row.runs, reason, adjustment, PLAIN, configuration=row.configuration
                )


def by_index(frame: pd.DataFrame) -> dict[Any, dict[str, Any]]:
    """A frame's lines by their index."""
    lines: dict[Any, Any] = frame.to_dict("index")
    return lines


def grouped(pairs: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Seeds by text, each once, in order of appearance."""
    found: dict[str, list[int]] = {}
    for seed, text in pairs:
        if seed not in found.setdefault(text, []):
            found[text].append(seed)
    return found


def seeds(which: list[int]) -> str:
    """ "seed 2" or "seeds 0, 3"."""
    return f"seed{'s' * (len(which) > 1)} {', '.join(map(str, which))}"


def _outcome(row: PlannedStrategy, records: dict[str, Record], failed: dict[str, set[str]]) -> Outcome:
    held = {
        seed: records[id]
        for seed, id in row.runs.items()
        if id in records and records[id].has_adjustment(row.adjustment)
    }
    missing = {seed: id for seed, id in row.runs.items() if seed not in held}
    return Outcome(
        row,
        held,
        {seed: " / ".join(sorted(failed.get(id, {_not_yet(id, records)}))) for seed, id in missing.items()},
    )


def _not_yet(id: str, records: dict[str, Record]) -> str:
    return "trained, but not evaluated so" if id in records else "not trained yet"


def _training(row: PlannedStrategy, facts: TaskFacts, seed: int, record: Record) -> tuple[Any, ...]:
    shown, drawn = record.evaluation("chosen", "test", row.adjustment), record.sampling
    found = compute_metrics(shown.confusion, shown.nll, shown.entities)
    size = np.nan if drawn.effective_sample_size is None else drawn.effective_sample_size
    return (
        *(row.task, row.strategy, seed, record.converged),
        *(found.get(name, np.nan) for name in MEASURES),
        *(drawn.items, drawn.labels, drawn.coverage, size, size / facts.items),
    )


def _classes(row: PlannedStrategy, facts: TaskFacts, seed: int, record: Record) -> list[tuple[Any, ...]]:
    each = compute_class_metrics(record.evaluation("chosen", "test", row.adjustment).confusion)
    recall = np.where(each.support > 0, each.recall, np.nan)
    share = np.asarray(record.sampling.by_class) / max(sum(record.sampling.by_class), 1)
    columns = zip(record.class_names, recall, each.precision, each.support, share, strict=True)
    return [(row.task, row.strategy, seed, *values) for values in columns]


def _curve(row: PlannedStrategy, facts: TaskFacts, seed: int, record: Record) -> list[tuple[Any, ...]]:
    return [(row.task, row.strategy, seed, step == record.chosen_step, step, value) for step, value in record.curve]


def _frame(names: list[str], numbers: list[str], lines: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=[*names, *numbers]).astype(dict.fromkeys(numbers, float))


def _of(frame: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    return frame[frame["task"] == facts.task]


def _mean_sd(frame: pd.DataFrame, by: list[str], values: list[str]) -> pd.DataFrame:
    """Mean and sample standard deviation (none for one seed), as columns `*_mean` and `*_sd`; `by` is the index."""
    groups = frame.groupby(by, sort=False)[values]
    mean, sd = groups.mean().add_suffix("_mean"), groups.std(ddof=1).add_suffix("_sd")
    return pd.concat([mean, sd], axis=1)[[f"{value}_{what}" for value in values for what in ("mean", "sd")]]
