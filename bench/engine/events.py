"""What happens while a study runs, as values: the engine reports them to an observer, which shows them or ignores them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.planning.run import Run
from bench.records.predictions import PredictedClasses
from bench.records.record import Failure, Record

Stack = list[Run]
"""Runs that are trained together as one program."""


@dataclass(frozen=True)
class Started:
    """A worker began a stack."""

    stack: Stack


@dataclass(frozen=True)
class Advanced:
    """Steps done since the last event, summed over the runs of a stack, and the work they amount to (see `Protocol.work`).

    A fit of an estimator has no steps."""

    steps: int
    work: float


@dataclass(frozen=True)
class Waiting:
    """No worker has sent anything for a second: whoever listens may stop in the middle of a long fit."""


@dataclass(frozen=True)
class Finished:
    """A stack is done: the outcome of each run, and by id the test predictions of the runs that did not fail."""

    outcomes: list[Record | Failure]
    predicted: dict[str, PredictedClasses] = field(default_factory=dict)


@dataclass(frozen=True)
class Requeued:
    """A stack raised or its process died; its runs wait to be tried one by one."""

    stack: Stack


@dataclass(frozen=True)
class WorkerTime:
    """Where a worker's time went, from its first sampled batch to its last evaluation."""

    wall_seconds: float
    seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    """The most memory that its process ever used; None where the system does not report it."""
    written: str = ""
    """What its process wrote on standard error."""

    def __add__(self, other: WorkerTime) -> WorkerTime:
        seconds = {
            what: self.seconds.get(what, 0.0) + other.seconds.get(what, 0.0) for what in self.seconds | other.seconds
        }
        return WorkerTime(self.wall_seconds + other.wall_seconds, seconds)

    @property
    def overhead(self) -> float:
        """Share of the time that was spent on none of sampling, gathering, stepping and evaluating."""
        worked = sum(self.seconds.get(what, 0.0) for what in ("draw", "gather", "step", "evaluate"))
        return 1 - worked / self.wall_seconds if self.wall_seconds else 0.0


StackEvent = Started | Advanced | Waiting | Finished | Requeued | WorkerTime
"""What a function that trains stacks yields."""

TrainStacks = Callable[[Sequence[Stack]], Iterator[StackEvent]]
"""Trains stacks, in worker processes of this machine or on Ray, and yields what happens in order of time."""


@dataclass(frozen=True)
class StudyBegan:
    """The study is written down; `notes` is what a user should know about it and about its data."""

    notes: list[str]


@dataclass(frozen=True)
class Preparing:
    """Something is measured before training: what, and on what."""

    what: str
    subject: str


@dataclass(frozen=True)
class TrainingBegan:
    """The missing runs are about to be trained; `done` runs have a record already, `failed` ones are left alone."""

    missing: list[Run]
    done: int
    failed: int


@dataclass(frozen=True)
class TaskEnded:
    """Every missing run of a task has finished or failed, while other tasks are still being trained."""

    task: str


@dataclass(frozen=True)
class TrainingEnded:
    """Every missing run has finished or failed."""


@dataclass(frozen=True)
class MeasuringCost:
    """The cost of a run's strategy is being measured: the `number`th of `total` measurements, counted from 1."""

    run: Run
    number: int
    total: int


Event = StackEvent | StudyBegan | Preparing | TrainingBegan | TaskEnded | TrainingEnded | MeasuringCost
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Observe nothing."""


def retry_or_fail(stack: Stack, reason: str, waiting: deque[Stack]) -> Iterator[StackEvent]:
    """Queue the runs of a broken stack one by one, or report the failure of its only run.

    They are tried at once, and the strategies take turns, so that what is wrong is known early.
    """
    if len(stack) > 1:
        runs = sorted(stack, key=lambda run: run.seed)
        waiting.extendleft([run] for run in reversed(runs))
        yield Requeued(stack)
    else:
        yield Finished([Failure(run.id, run.label, run.name, run.seed, reason) for run in stack])
