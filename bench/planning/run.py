"""One training run: a task, a strategy, a protocol and a seed, and the id by which its record is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.metrics.selection_metric import MACRO_F1, SelectionMetric
from bench.planning.protocol import Protocol
from bench.planning.seeds import split_generator, sub_seed
from bench.records.record import SCHEMA, VALIDATION_LABELS_ADDED
from bench.tasks.loaded_tasks import load_once
from bench.tasks.task import Task, TaskSpec
from strategies import Strategy
from strategies.registry import source_hash


@dataclass(frozen=True)
class Run:
    """One training run; `fingerprint` is that of the prepared data."""

    task: TaskSpec
    strategy: Strategy
    protocol: Protocol
    seed: int
    fingerprint: str
    adjustments: tuple[Strategy, ...] = ()
    """Adjustments of its finished logits that are evaluated in addition to the logits as they are."""
    adds_validation: bool = False
    """Whether the validation part is trained on too; then the run ends where its baseline's best checkpoint is."""
    metric: SelectionMetric = MACRO_F1
    """What chooses its checkpoint on validation."""
    block_name: str = ""
    """Name of its block where that is not the task's label."""

    @property
    def label(self) -> str:
        """The key of its block in records and report: the block's name, or else the task's label."""
        return self.block_name or self.task.label

    def load_task(self) -> Task:
        """Return the run's task, split by its seed; a process loads it once for all runs of the seed."""
        key = (self.task, self.seed, self.fingerprint)
        task = load_once(key, lambda: self.task.load(split_generator(self.task.label, self.seed)))
        return task.with_validation_added if self.adds_validation else task

    @property
    def name(self) -> str:
        """What records and tables call the strategy."""
        return VALIDATION_LABELS_ADDED if self.adds_validation else str(self.strategy)

    @property
    def baseline(self) -> Run:
        """The same run without the validation part in training: its validation says when a run that adds it ends."""
        return replace(self, adds_validation=False, adjustments=())

    def identity(self) -> dict[str, Any]:
        """Return everything that the run's numbers depend on: no paths, order, dates, nor what else is evaluated."""
        sources = [source_hash(type(part)) for part in self.strategy.parts]
        return {
            "schema": SCHEMA,
            "task": self.task.label,
            **({"block": self.block_name} if self.block_name else {}),
            "data": self.fingerprint,
            **self.strategy.identity(),
            **({"sources": sources} if any(sources) else {}),
            **({"trained on": "training and validation part"} if self.adds_validation else {}),
            "protocol": self.protocol.identity(),
            **({} if self.metric == MACRO_F1 else {"metric": self.metric.identity}),
            "seed": self.seed,
        }

    def seed_for(self, what: str) -> int:
        """Return the seed for one purpose; it does not depend on the strategy, so that comparisons are paired."""
        return sub_seed(what, self.task.label, self.seed)

    @property
    def id(self) -> str:
        """The hash of the identity, which names the record's file."""
        text = json.dumps(self.identity(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


def add_baselines(runs: Sequence[Run]) -> list[Run]:
    """Return the runs of a stack, followed by the baselines that say when some of them end, where they are not among them."""
    ids = {run.id for run in runs}
    needed = {run.baseline.id: run.baseline for run in runs if run.adds_validation}
    return [*runs, *(baseline for id, baseline in needed.items() if id not in ids)]
