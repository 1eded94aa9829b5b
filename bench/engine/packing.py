"""Which runs share a stack: as many as make a step cheaper and fit into memory, and so that no worker is left idle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from itertools import accumulate, pairwise

import torch

from bench.engine.events import Observer, Preparing, Stack, ignore
from bench.engine.stack_memory import available_bytes, measure_run_bytes, process_bytes
from bench.models import find_facts
from bench.models.variant import ModelVariant
from bench.planning.protocol import Protocol
from bench.planning.run import Run

USABLE = 0.8
"""Share of the available memory that stacks may take: the measured stacks are small, and early in their training."""

TOLERATED_DELAY = 1.05
"""How much longer a study may take for the sake of early verdicts."""


@dataclass(frozen=True)
class StackKey:
    """What the runs of a stack have in common."""

    task: str
    protocol: Protocol
    variant: ModelVariant

    @classmethod
    def of(cls, run: Run) -> StackKey:
        """Return the key of a run; learning rate and weight decay may differ within a stack."""
        return cls(run.label, run.protocol.without_rates, ModelVariant.of(run.strategy))

    def __str__(self) -> str:
        features = [name for name, used in vars(self.variant).items() if used]
        return f"{self.task} ({', '.join(features)})" if features else self.task


@dataclass(frozen=True)
class Width:
    """How many runs a stack of one key may hold, and why not more; bytes per run, None if not measured."""

    runs: int
    because: str
    bytes_per_run: int | None = None


@dataclass(frozen=True)
class Packing:
    """Stacks in the order of training, with the widths allowed; bytes that a worker takes without a stack, None if unknown."""

    stacks: list[Stack]
    widths: dict[StackKey, Width]
    process_bytes: int | None

    def by_stack_key(self) -> dict[StackKey, list[Stack]]:
        """Return the stacks of each key, the widest first."""
        return {key: [stack for stack in self.stacks if StackKey.of(stack[0]) == key] for key in self.widths}

    def worker_bytes(self) -> int | None:
        """Return the most that a worker takes, its widest stack included; None if not measured."""
        stack_bytes = [
            len(stack) * bytes_per_run
            for key, stacks in self.by_stack_key().items()
            for stack in stacks
            if (bytes_per_run := self.widths[key].bytes_per_run) is not None
        ]
        return self.process_bytes + max(stack_bytes) if stack_bytes and self.process_bytes is not None else None


def pack(runs: Sequence[Run], workers: int, device: torch.device, observe: Observer = ignore) -> Packing:
    """Measure the memory that a run of each stack key takes, and pack the runs into stacks."""
    process, available = process_bytes(device), available_bytes(device)
    room = None if process is None or available is None else int(USABLE * available / workers) - process
    widths = {}
    for key, members in group_by_stack_key(runs).items():
        observe(Preparing("measuring the memory that a run takes", str(key)))
        widths[key] = _choose_width(members, room, device)
    stacks = pack_stacks(runs, workers, {key: width.runs for key, width in widths.items()})
    return Packing(stacks, widths, process)


def group_by_stack_key(runs: Sequence[Run]) -> dict[StackKey, list[Run]]:
    """Group runs by stack key; within a group the runs of one strategy are adjacent, both in their first order.

    A run that ends where its baseline does stands next to it: apart from it, its stack would train the baseline again.
    """
    groups: dict[StackKey, dict[object, list[Run]]] = {}
    for run in runs:
        groups.setdefault(StackKey.of(run), {}).setdefault(run.strategy, []).append(run)
    return {
        key: [run for members in group.values() for run in _next_to_baselines(members)] for key, group in groups.items()
    }


def _next_to_baselines(runs: Sequence[Run]) -> list[Run]:
    """Return the runs of one strategy, each that adds validation labels behind its baseline, if that is among them."""
    place = {run.id: place for place, run in enumerate(runs)}
    return sorted(
        runs, key=lambda run: place.get(run.baseline.id, place[run.id]) if run.adds_validation else place[run.id]
    )


def pack_stacks(runs: Sequence[Run], workers: int, widths: Mapping[StackKey, int]) -> list[Stack]:
    """Put every run into one stack with others of its key, at most `widths[key]` of them.

    The task with the least work comes first, so that its verdict is known early; of a task, the longest stacks come first.
    Where that would make the study clearly longer, the longest stacks of all come first.

    - The key with the heaviest stacks gets one stack more, until no stack is more than a worker's fair share of all work and
      there are as many stacks as workers, as far as runs can be divided.
    - A key with at least as many stacks as workers gets a multiple of them, so that its last round leaves no worker idle.
    - Stacks of a key differ by one run at most; runs of one strategy stay adjacent.
    """
    groups = group_by_stack_key(runs)
    work = {key: len(members) * members[0].protocol.work for key, members in groups.items()}
    counts = {key: -(-len(members) // widths[key]) for key, members in groups.items()}
    share = sum(work.values()) / workers

    def stack_work(key: StackKey) -> float:
        return work[key] / counts[key]

    while divisible := [key for key, members in groups.items() if counts[key] < len(members)]:
        heaviest = max(divisible, key=stack_work)
        if sum(counts.values()) >= workers and stack_work(heaviest) <= share:
            break
        counts[heaviest] += 1
    for key, members in groups.items():
        if counts[key] >= workers:
            counts[key] = min(len(members), -(-counts[key] // workers) * workers)
    stacks = [stack for key, members in groups.items() for stack in _divide(members, counts[key])]
    task_work: defaultdict[str, float] = defaultdict(float)
    for stack in stacks:
        task_work[stack[0].label] += _work(stack)
    longest_first = sorted(stacks, key=lambda stack: -_work(stack))
    task_by_task = sorted(longest_first, key=lambda stack: task_work[stack[0].label])
    slower = _finish(task_by_task, workers) > TOLERATED_DELAY * _finish(longest_first, workers)
    return longest_first if slower else task_by_task


def _work(stack: Stack) -> float:
    return sum(run.protocol.work for run in stack)


def _finish(stacks: Sequence[Stack], workers: int) -> float:
    """Return when the last worker ends, in units of work, where each idle worker takes the next stack."""
    ends = [0.0] * workers
    for stack in stacks:
        heapreplace(ends, ends[0] + _work(stack))
    return max(ends)


def _divide(members: Sequence[Run], count: int) -> list[Stack]:
    """Divide runs into `count` stacks, as even as possible, the wider ones first."""
    width, wider = divmod(len(members), count)
    ends = accumulate([width + (place < wider) for place in range(count)], initial=0)
    return [list(members[begin:end]) for begin, end in pairwise(ends)]


def _choose_width(members: Sequence[Run], room: int | None, device: torch.device) -> Width:
    """Return the width of one stack key, where a worker has `room` bytes for its stack."""
    if members[0].protocol.is_estimator:
        return Width(1, "estimators are fitted one by one")
    on_cpu = device.type == "cpu"
    # On a GPU a wider stack is always faster.
    useful = find_facts(members[0].protocol.model).stack_width if on_cpu else len(members)
    because = "a wider stack is no faster on cpu" if on_cpu else "all runs in one stack"
    try:
        bytes_per_run = measure_run_bytes(members, device)
    except (Exception, SystemExit) as error:  # a strategy that cannot be trained fails in its own run, not here
        return Width(useful, f"{because}; memory not measured, {type(error).__name__}: {error}")
    if bytes_per_run is None or room is None:
        return Width(useful, f"{because}; this system does not report memory")
    return limit_width(useful, because, bytes_per_run, room)


def limit_width(useful: int, because: str, bytes_per_run: int, room: int) -> Width:
    """Return the useful width, or the widest that fits into `room` bytes where that is less; 1 at least."""
    fitting = max(1, room // bytes_per_run)
    if fitting < useful:
        reason = f"more than {fitting} do not fit into a worker's {max(room, 0) / 1e6:,.0f} MB"
        return Width(fitting, reason, bytes_per_run)
    return Width(useful, because, bytes_per_run)
