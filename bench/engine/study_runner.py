"""One run: train what is missing, measure what it costs, write the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from rich.console import Console

from bench.engine.cost import measure_cost
from bench.engine.events import Advanced, Event, Finished, Stack, WorkerTime
from bench.engine.packing import Packing, pack
from bench.errors import InputError
from bench.metrics.selection_metric import SELECTABLE
from bench.metrics.selection_metric import parse_metric as objective_of
from bench.planning.grid import tuned
from bench.planning.plan import Plan
from bench.planning.run import Run
from bench.records.merge import merge_studies
from bench.records.record import Cost, Failure, Record, Study
from bench.records.store import Store, drop_none
from bench.report import write_report
from bench.report.frame import grouped, results, seeds
from bench.report.run_diff import Changes, changes
from bench.report.titles import MEASURES
from bench.terminal.console import noted
from bench.terminal.progress import PlainLines, Progress, shown
from bench.train.clock import Clock

Engine = Callable[[Sequence[Stack]], Iterator[Event]]
"""Trains stacks and tells what happens: worker processes of this machine, or Ray."""


@dataclass
class StudyRunner:
    """A plan, what trains it, where its results go, and where its time went."""

    plan: Plan
    store: Store
    device: torch.device
    engine: Engine
    workers: int
    """How many stacks are trained at once."""
    console: Console
    clock: Clock = field(default_factory=Clock)
    spent: list[WorkerTime] = field(default_factory=list)

    def go(self, *, retry_failed: bool) -> list[Path]:
        """Trains and measures what the store does not hold yet; the paths of the report's files."""
        study = merge_studies(self.store.known(), self.plan.study)
        self.plan = self.plan.evaluating(study)
        self.store.begin(study)
        self.say_notes()
        missing = self.missing(retry_failed)
        done = sum(self.done(each) for each in self.plan.runs)
        with self.clock("planning"):
            stacks = self.pack(missing).stacks
        with self.clock("training"):
            self._train(stacks, already=done)
        with self.clock("measuring costs"):
            self._measure()
        with self.clock("writing the report"):
            return report(self.store)

    def say_notes(self) -> None:
        """Prints what must be known of the study and of its data."""
        for note in noted(self.plan.study):
            self.console.print(f"note: {note}", soft_wrap=True)
        if self.device.type == "cpu" and self.workers > (cores := os.cpu_count() or self.workers):
            self.console.print(f"note: {self.workers} workers on {cores} cores hold each other up", soft_wrap=True)

    def warnings(self) -> list[str]:
        """What strategies warned of, a line for each strategy and task."""
        said: dict[str, list[tuple[int, str]]] = {}
        for record in drop_none(self.store.record(each.id) for each in self.plan.runs):
            notes = said.setdefault(f"{record.strategy} on {record.task}", [])
            notes += [(record.seed, note) for note in record.notes]
        return [
            f"{who}: {'; '.join(f'{note} ({seeds(where)})' for note, where in grouped(notes).items())}"
            for who, notes in said.items()
            if notes
        ]

    def done(self, training: Run) -> bool:
        """Whether its record is there, with every evaluation that is asked for."""
        return self.store.record(training.id, map(str, training.adjustments)) is not None

    def missing(self, retry_failed: bool) -> list[Run]:
        """The planned trainings without a record; without `retry_failed` those that failed before are left alone."""
        without = [each for each in self.plan.runs if not self.done(each)]
        return [each for each in without if retry_failed or self.store.failure(each.id) is None]

    def pack(self, runs: Sequence[Run]) -> Packing:
        """The stacks in which they are trained."""
        return pack(runs, self.workers, self.device)

    def without_cost(self, runs: Sequence[Run]) -> list[Run]:
        """One training of each strategy on each task whose cost is not known yet."""
        return [each for each in _first_seeds(runs) if self.store.cost(each.id) is None]

    def failures(self) -> list[Failure]:
        """The planned trainings that failed, now or in an earlier run."""
        return drop_none(self.store.failure(each.id) for each in self.plan.runs if not self.done(each))

    def _train(self, stacks: Sequence[Stack], already: int) -> None:
        missing = [each for stack in stacks for each in stack]
        progress = Progress(missing, already, failed=len(self.plan.runs) - already - len(missing))
        lines = PlainLines(progress, self.console)
        with shown(progress, self.console):
            for event in self.engine(stacks):
                progress.see(event)
                if isinstance(event, Advanced):
                    lines.due()
                if isinstance(event, Finished):
                    for outcome in event.outcomes:
                        self.store.add(outcome, event.predicted.get(outcome.id))
                elif isinstance(event, WorkerTime):
                    self.spent.append(event)
        if not self.console.is_terminal:
            self.console.print(progress.line(), soft_wrap=True)

    def _measure(self) -> None:
        """Costs not known yet, of what could be trained."""
        trained = [each for each in self.plan.runs if self.store.record(each.id) is not None]
        missing = self.without_cost(trained)
        for number, training in enumerate(missing, 1):
            if self.console.is_terminal:
                what = f"cost {number} of {len(missing)}: {training.strategy} on {training.task.label}"
                self.console.print(what, end="\r", soft_wrap=True, highlight=False)
            self.store.add_cost(training.id, measure_cost(training, self.device))


def report(store: Store, objective: str | None = None) -> list[Path]:
    """Writes tables and figures from what the store holds; the paths of the files. `objective` takes the place of the study's."""
    study, records, failures, costs = _held(store, objective)
    return write_report(study, records, failures, costs, store.directory, store.predicted)


def compared(before: Store, after: Store, objective: str | None = None) -> Changes:
    """What changed from one store's study to another's, by the second one's objective if none is given.

    A measure that is given and is an objective too takes the place of both studies' own.
    """
    asked = objective or after.study().metric
    measure = asked.replace("-", "_")
    if measure not in MEASURES:
        known = ", ".join(name.replace("_", "-") for name in MEASURES)
        raise InputError(f"--objective {asked}: two runs are compared by one measure; give one of {known}")
    goal = objective if objective in SELECTABLE else None
    return changes(results(*_held(before, goal)), results(*_held(after, goal)), measure)


def _held(store: Store, objective: str | None = None) -> tuple[Study, list[Record], list[Failure], list[Cost]]:
    """A store's study, with the settings that validation chose, and what it holds of it."""
    study = _judged_by(objective, store.study())
    ids = list(dict.fromkeys(id for row in study.strategies for _, id, _ in row.planned_runs()))
    records = drop_none(map(store.record, ids))
    failures = [*drop_none(map(store.failure, ids)), *store.unreadable(study).values()]
    return tuned(study, records, failures), records, failures, drop_none(map(store.cost, ids))


def _judged_by(objective: str | None, study: Study) -> Study:
    """The study under another objective, or else its own; `InputError` if none of its tasks can be judged so."""
    asked = objective or study.metric
    refused = []
    for facts in study.tasks:
        try:
            objective_of(asked, facts.class_names)
        except InputError as error:
            refused.append(error)
    if refused and len(refused) == len(study.tasks):
        if objective is not None:
            raise refused[0]
        raise InputError(f"the run's own objective is not to be had any more; give --objective again: {refused[0]}")
    return replace(study, metric=asked)


def _first_seeds(runs: Sequence[Run]) -> list[Run]:
    """One training of each strategy on each task: a cost does not depend on the seed."""
    return list({(each.task.label, each.strategy): each for each in reversed(runs)}.values())[::-1]
