"""One training: a task, a strategy, a protocol and a seed, and the id that says whether it was done before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from bench.planning.protocol import Protocol
from bench.planning.seeds import sub_seed
from bench.records.record import SCHEMA
from bench.tasks.task import TaskSpec
from strategies import Strategy
from strategies.registry import source_hash


@dataclass(frozen=True)
class Run:
    """What one machine runs once. `fingerprint` is that of the prepared data."""

    task: TaskSpec
    strategy: Strategy
    protocol: Protocol
    seed: int
    fingerprint: str
    adjustments: tuple[Strategy, ...] = ()
    """What finished logits are evaluated under, beside as they are."""

    def identity(self) -> dict[str, Any]:
        """All that its numbers depend on; not paths, not the order of running, not the date, not what else is evaluated."""
        sources = [source_hash(type(part)) for part in self.strategy.parts]
        return {
            "schema": SCHEMA,
            "task": self.task.label,
            "data": self.fingerprint,
            **self.strategy.identity(),
            **({"sources": sources} if any(sources) else {}),
            "protocol": self.protocol.identity(),
            "seed": self.seed,
        }

    def seed_for(self, what: str) -> int:
        """The seed of one thing of this task and seed, whatever the strategy: comparisons are paired."""
        return sub_seed(what, self.task.label, self.seed)

    @property
    def id(self) -> str:
        """The hash of the identity: the name of its record's file."""
        text = json.dumps(self.identity(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]
