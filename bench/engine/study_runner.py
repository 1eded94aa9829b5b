"""A study from its plan to its records: train the missing runs, measure costs, and keep both in a results directory."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from bench.engine.cost import cost_of_fits, measure_cost
from bench.engine.events import (
    Finished,
    MeasuringCost,
    Observer,
    Stack,
    StudyBegan,
    TaskEnded,
    TrainingBegan,
    TrainingEnded,
    TrainStacks,
    WorkerTime,
    ignore,
)
from bench.engine.packing import Packing, pack
from bench.engine.time_estimate import TimeEstimate, estimate_time
from bench.planning.plan import Plan
from bench.planning.run import Run
from bench.records.merge import describe_addition, merge_studies
from bench.records.record import Failure, Record, Study
from bench.records.store import Store, drop_none
from bench.text.numbers import plural
from bench.train.clock import Clock
from strategies import Strategy
from strategies.none import Plain


@dataclass(frozen=True)
class StrategyWarnings:
    """What a strategy warned of on a task, as (seed, message)."""

    task: str
    strategy: str
    messages: list[tuple[int, str]]


@dataclass(frozen=True)
class StudyResult:
    """How a study ended: where the workers' time went, what strategies warned of, and which runs failed."""

    study: Study
    workers: list[WorkerTime]
    warnings: list[StrategyWarnings]
    failures: list[Failure]
    not_measured: list[str]
    """Strategies whose cost could not be measured, with the reason."""
    left_out: str = ""
    """The seeds that were planned but not begun for want of time, in a sentence; empty where there are none."""


@dataclass(frozen=True)
class RunCounts:
    """How many runs of a strategy on a task are still to be trained, and how many are done."""

    task: str
    strategy: str
    to_train: int
    done: int


@dataclass(frozen=True)
class StudyPreview:
    """What a study would train, in which stacks, and how long that would take."""

    study: Study
    counts: list[RunCounts]
    runs: int
    """Runs that would be trained."""
    packing: Packing
    time: TimeEstimate
    workers: int
    device: str
    directory: Path


@dataclass
class StudyRunner:
    """A plan, the function that trains its stacks, and the store that keeps its results."""

    plan: Plan
    store: Store
    device: torch.device
    train_stacks: TrainStacks
    workers: int
    """How many stacks are trained at once."""
    clock: Clock = field(default_factory=Clock)
    first_seeds: int | None = None
    """How many seeds are trained first, whatever time they take; None for all."""
    deadline: float = math.inf
    """On the monotonic clock: other seeds that would end later are not begun, and no cost is measured from then on."""

    def run(self, observe: Observer = ignore, *, retry_failed: bool = False) -> StudyResult:
        """Train and measure what the store does not hold yet; `observe` is called with every event as it happens."""
        known = self.store.find_study()
        study = merge_studies(known, self.plan.study)
        added = describe_addition(known, self.plan.study) if known is not None else ""
        adds = [f"adds to an earlier study in {self.store.directory}: {added}"] if added else []
        self.plan = self.plan.with_adjustments(study)
        self.store.begin(study)
        observe(StudyBegan([*self.notes(), *adds]))
        missing = self.missing_runs(retry_failed=retry_failed)
        done = sum(self.is_done(run) for run in self.plan.runs)
        first, others = self._first_and_other_seeds(missing)
        with self.clock("planning"):
            stacks = pack(first, self.workers, self.device, observe).stacks
        observe(TrainingBegan(missing, done, failed=len(self.plan.runs) - done - len(missing)))
        with self.clock("training"):
            left = Counter(run.label for run in missing)
            began = time.monotonic()
            workers = self._train(stacks, left, observe)
            seconds_per_run = (time.monotonic() - began) / len(first) if first else self._seconds_per_done_run()
            fitting = self._fitting(others, seconds_per_run)
            # Packed here and not before: how many of them there are depends on the time of the first.
            workers += self._train(pack(fitting, self.workers, self.device).stacks, left, observe) if fitting else []
        observe(TrainingEnded())
        left_out = self._leave_out(sorted({run.seed for run in others} - {run.seed for run in fitting}), known)
        with self.clock("measuring costs"):
            not_measured = self._measure_costs(observe)
        return StudyResult(self.plan.study, workers, self._warnings(), self._failures(), not_measured, left_out)

    def preview(self, observe: Observer = ignore, *, retry_failed: bool = False) -> StudyPreview:
        """Pack the missing runs and estimate their time, by training the first steps of some of them; keep nothing."""
        missing = self.missing_runs(retry_failed=retry_failed)
        packing = pack(missing, self.workers, self.device, observe)
        missing_ids = {run.id for run in missing}
        counts = []
        for planned in self.plan.study.strategies:
            runs = list(planned.planned_runs())
            to_train = sum(id in missing_ids for _, id, _ in runs)
            versions = self.plan.study.adjustment_versions
            done = sum(self.store.record(id, adjustments, versions) is not None for _, id, adjustments in runs)
            counts.append(RunCounts(planned.task, planned.strategy, to_train, done))
        costed = [run for run in self.plan.runs if run.id in missing_ids or self.store.record(run.id) is not None]
        return StudyPreview(
            study=self.plan.study,
            counts=counts,
            runs=len(missing),
            packing=packing,
            time=estimate_time(packing, self._runs_without_cost(costed), self.workers, self.device, observe),
            workers=self.workers,
            device=str(self.device),
            directory=self.store.directory,
        )

    def notes(self) -> list[str]:
        """Return the notes on the study, on the data of its tasks, and on the number of workers, each once."""
        study = self.plan.study
        notes = list(study.notes)
        for note in dict.fromkeys(note for facts in study.tasks for note in facts.notes):
            having = [facts for facts in study.tasks if note in facts.notes]
            is_of_data = having == study.tasks and all(facts.learner for facts in having)
            notes.append(note if is_of_data else f"{', '.join(facts.task for facts in having)}: {note}")
        if self.device.type == "cpu" and self.workers > (cores := os.cpu_count() or self.workers):
            notes.append(f"{self.workers} workers on {cores} cores: more workers than cores slow each other down")
        return notes

    def is_done(self, run: Run) -> bool:
        """Whether the store holds the run's record, with every evaluation that is asked for."""
        versions = {str(adjustment): adjustment.version for adjustment in run.adjustments}
        return self.store.record(run.id, versions, versions) is not None

    def missing_runs(self, *, retry_failed: bool = False) -> list[Run]:
        """Return the planned runs without a record; those that failed before only with `retry_failed`."""
        missing = [run for run in self.plan.runs if not self.is_done(run)]
        return [run for run in missing if retry_failed or self.store.failure(run.id) is None]

    def _first_and_other_seeds(self, runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
        """Return the runs of the seeds that are trained whatever time they take, and those of the others."""
        most = math.inf if self.first_seeds is None else self.first_seeds
        return [run for run in runs if run.seed < most], [run for run in runs if run.seed >= most]

    def _seconds_per_done_run(self) -> float:
        """Return the seconds of fits per run that is done, with all workers busy; 0 if none is.

        Neural runs count as 0: their times are those of whole stacks, and their pilot is made anew by every command.
        """
        done = [run for run in self.plan.runs if self.store.record(run.id) is not None]
        fits = drop_none(self.store.record(run.id) for run in done if run.protocol.is_estimator)
        return sum(sum(record.times.values()) for record in fits) / max(len(done), 1) / self.workers

    def _fitting(self, runs: Sequence[Run], seconds_per_run: float) -> list[Run]:
        """Return the runs of the first of their seeds, as many as end before the deadline."""
        fitting = list(runs)
        while fitting and time.monotonic() + len(fitting) * seconds_per_run > self.deadline:
            last = max(run.seed for run in fitting)
            fitting = [run for run in fitting if run.seed < last]
        return fitting

    def _leave_out(self, seeds: Sequence[int], known: Study | None) -> str:
        """Take seeds that were not begun out of the plan and of the stored study, and return a sentence that says so."""
        if not seeds:
            return ""
        planned, done = len({run.seed for run in self.plan.runs}), min(seeds)
        note = (
            f"planned {plural(planned, 'seed')}, trained {done}: the first {self.first_seeds} took longer than the pilot "
            "predicted (a larger --budget adds the others)"
        )
        fewer = self.plan.with_seeds_below(done)
        study = dataclasses.replace(fewer.study, notes=[*fewer.study.notes, note])
        self.plan = dataclasses.replace(fewer, study=study)
        self.store.begin(merge_studies(known, study))
        return note

    def _train(self, stacks: Sequence[Stack], left: Counter[str], observe: Observer) -> list[WorkerTime]:
        """Train the stacks, keep the outcome of every run, and return where each worker's time went; `left` counts by task."""
        workers = []
        for event in self.train_stacks(stacks):
            observe(event)
            if isinstance(event, Finished):
                for outcome in event.outcomes:
                    self.store.add(outcome, event.predicted.get(outcome.id))
                task = event.outcomes[0].task
                left[task] -= len(event.outcomes)
                if not left[task] and left.total():
                    observe(TaskEnded(task))
            elif isinstance(event, WorkerTime):
                workers.append(event)
        return workers

    def _measure_costs(self, observe: Observer) -> list[str]:
        """Measure the costs that the store does not hold yet, of strategies that could be trained; return what failed."""
        not_measured = []
        trained = [run for run in self.plan.runs if self.store.record(run.id) is not None]
        self._add_costs_of_fits([run for run in trained if run.protocol.is_estimator])
        runs = self._runs_without_cost(trained)
        for number, run in enumerate(runs, 1):
            if time.monotonic() > self.deadline:
                not_measured.append(f"{plural(len(runs) - number + 1, 'strategy')}: the time of the budget was used up")
                break
            observe(MeasuringCost(run, number, len(runs)))
            try:
                self.store.add_cost(run.id, measure_cost(run, self.device))
            except Exception as error:  # the runs are done, and their results must not be lost
                reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
                not_measured.append(f"{run.strategy} on {run.label}: {reason}")
        return not_measured

    def _add_costs_of_fits(self, runs: Sequence[Run]) -> None:
        """Store the cost of each strategy of an estimator, where there are runs of plain training to compare with."""
        records: dict[tuple[str, Strategy], dict[int, Record]] = {}
        for run in runs:
            if not run.adds_validation and (record := self.store.record(run.id)) is not None:
                records.setdefault((run.label, run.strategy), {})[run.seed] = record
        for run in _first_seeds(runs):
            own, baseline = (records.get((run.label, strategy), {}) for strategy in (run.strategy, Plain()))
            if (cost := cost_of_fits(run, own, baseline)) is not None:
                self.store.add_cost(run.id, cost)

    def _runs_without_cost(self, runs: Sequence[Run]) -> list[Run]:
        """Return one run of each strategy on each task whose cost the store does not hold and that has to be measured apart."""
        neural = [run for run in runs if not run.protocol.is_estimator]
        return [run for run in _first_seeds(neural) if self.store.cost(run.id) is None]

    def _warnings(self) -> list[StrategyWarnings]:
        warnings: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for record in drop_none(self.store.record(run.id) for run in self.plan.runs):
            messages = warnings.setdefault((record.task, record.strategy), [])
            messages += [(record.seed, note) for note in record.notes]
        return [StrategyWarnings(*key, messages) for key, messages in warnings.items() if messages]

    def _failures(self) -> list[Failure]:
        """Return the failures of planned runs, now or before."""
        return drop_none(self.store.failure(run.id) for run in self.plan.runs if not self.is_done(run))


def _first_seeds(runs: Sequence[Run]) -> list[Run]:
    """Return one run of each strategy on each task: a cost does not depend on the seed."""
    return list({(run.label, run.strategy): run for run in reversed(runs)}.values())[::-1]
