"""What an engine tells while it trains stacks, and what becomes of a stack that broke."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.planning.run import Run
from bench.records.predictions import PredictedClasses
from bench.records.record import Failure, Record

Stack = list[Run]


@dataclass(frozen=True)
class Started:
    """A worker began a stack."""

    stack: Stack


@dataclass(frozen=True)
class Advanced:
    """Steps done since the last word, summed over the stack's trainings, and the work that is (see `Protocol.work`)."""

    steps: int
    work: float


@dataclass(frozen=True)
class Finished:
    """A stack is done: what each training left, and by id what those that did not fail predict on test."""

    outcomes: list[Record | Failure]
    predicted: dict[str, PredictedClasses] = field(default_factory=dict)


@dataclass(frozen=True)
class Requeued:
    """A stack broke; its trainings wait to be tried one by one."""

    stack: Stack


@dataclass(frozen=True)
class WorkerTime:
    """Where a worker's time went, from its first draw to its last evaluation."""

    wall_seconds: float
    seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    """The most memory that its process ever held; None where the system does not tell."""

    def __add__(self, other: WorkerTime) -> WorkerTime:
        seconds = {
            what: self.seconds.get(what, 0.0) + other.seconds.get(what, 0.0) for what in self.seconds | other.seconds
        }
        return WorkerTime(self.wall_seconds + other.wall_seconds, seconds)

    @property
    def overhead(self) -> float:
        """Share of the time that was neither drawing, gathering, stepping nor evaluating."""
        worked = sum(self.seconds.get(what, 0.0) for what in ("draw", "gather", "step", "evaluate"))
        return 1 - worked / self.wall_seconds if self.wall_seconds else 0.0


Event = Started | Advanced | Finished | Requeued | WorkerTime


def retry_or_fail(stack: Stack, reason: str, waiting: deque[Stack]) -> Iterator[Event]:
    """What a broken stack comes to: its trainings wait to be tried one by one, or the only one has failed."""
    if len(stack) > 1:
        waiting.extend([training] for training in stack)
        yield Requeued(stack)
    else:
        yield Finished([Failure(each.id, each.task.label, str(each.strategy), each.seed, reason) for each in stack])
