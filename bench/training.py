"""One training: a task, a strategy, a protocol and a seed, and the id that says whether it was done before."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from bench.protocol import Protocol
from bench.record import SCHEMA
from bench.tasks.task import TaskSpec
from strategies import Strategy


@dataclass(frozen=True)
class Training:
    """What one machine runs once. `fingerprint` is that of the prepared data."""

    task: TaskSpec
    strategy: Strategy
    protocol: Protocol
    seed: int
    fingerprint: str

    def identity(self) -> dict[str, Any]:
        """All that its numbers depend on; not paths, not the order of running, not the date."""
        return {
            "schema": SCHEMA,
            "task": self.task.label,
            "data": self.fingerprint,
            "strategy": self.strategy.name,
            "strategy_version": self.strategy.version,
            "parameters": self.strategy.parameters,
            "protocol": dataclasses.asdict(self.protocol),
            "seed": self.seed,
        }

    @property
    def id(self) -> str:
        """The hash of the identity: the name of its record's file."""
        text = json.dumps(self.identity(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]
