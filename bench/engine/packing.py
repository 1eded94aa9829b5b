"""Which trainings share a stack: as many as pay and as memory holds, and so that no worker is idle beside a wide stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch

from bench.engine.events import Stack
from bench.engine.stack_memory import free_bytes, process_bytes, training_bytes
from bench.models.variant import ModelVariant
from bench.planning.protocol import Protocol
from bench.planning.run import Run

PAYS = {"mlp": 40}
PAYS_OTHERS = 5
"""Trainings a stack past which a CPU core gains nothing, by model: where a step is short, most of it is calls, which a stack
shares (docs/performance.md). A GPU takes as many as there are."""
USABLE = 0.8
"""Share of the free memory that stacks may take: what is measured are small stacks, early in their training."""


@dataclass(frozen=True)
class StackKey:
    """What the trainings of a stack have in common."""

    task: str
    protocol: Protocol
    build: ModelVariant

    @classmethod
    def of(cls, training: Run) -> StackKey:
        """The kind of a training; learning rate and weight decay are each training's own."""
        return cls(training.task.label, training.protocol.shared, ModelVariant.of(training.strategy))

    def __str__(self) -> str:
        built = [name for name, holds in vars(self.build).items() if holds]
        return f"{self.task} ({', '.join(built)})" if built else self.task


@dataclass(frozen=True)
class Width:
    """How many trainings of a kind a stack may hold, and why not more; bytes of one training, None if not measured."""

    runs: int
    because: str
    training_bytes: int | None = None


@dataclass(frozen=True)
class Packing:
    """Stacks, the longest first, and what bounded their width; bytes that a worker holds without one, None if unknown."""

    stacks: list[Stack]
    widths: dict[StackKey, Width]
    process_bytes: int | None

    def of_kind(self) -> dict[StackKey, list[Stack]]:
        """The stacks of each kind, longest first."""
        return {kind: [stack for stack in self.stacks if StackKey.of(stack[0]) == kind] for kind in self.widths}

    def worker_bytes(self) -> int | None:
        """What a worker holds at most, beside its widest stack; None if not measured."""
        taken = [
            len(stack) * each
            for kind, stacks in self.of_kind().items()
            for stack in stacks
            if (each := self.widths[kind].training_bytes) is not None
        ]
        return self.process_bytes + max(taken) if taken and self.process_bytes is not None else None


def pack(runs: Sequence[Run], workers: int, device: torch.device) -> Packing:
    """Measures what a training of each kind takes, and packs them."""
    process, free = process_bytes(device), free_bytes(device)
    room = None if process is None or free is None else int(USABLE * free / workers) - process
    widths = {kind: _measured(members, room, device) for kind, members in of_kind(runs).items()}
    return Packing(pack_stacks(runs, workers, {kind: each.runs for kind, each in widths.items()}), widths, process)


def of_kind(runs: Sequence[Run]) -> dict[StackKey, list[Run]]:
    """Trainings by kind; within a kind those of one strategy stand side by side, all in their first order."""
    kinds: dict[StackKey, dict[object, list[Run]]] = {}
    for each in runs:
        kinds.setdefault(StackKey.of(each), {}).setdefault(each.strategy, []).append(each)
    return {kind: [each for members in found.values() for each in members] for kind, found in kinds.items()}


def pack_stacks(runs: Sequence[Run], workers: int, widths: Mapping[StackKey, int]) -> list[Stack]:
    """Every training in one stack with others of its kind, at most `widths[kind]` of them; the longest stacks first.

    - The heaviest kind gets one stack more until no stack is more than a worker's fair share of all work and there are as
      many as workers, as far as trainings can be divided.
    - A kind with as many stacks as workers or more has a multiple of them, so that its last round leaves none idle.
    - Stacks of a kind differ by one training at most; trainings of one strategy stay side by side.
    """
    kinds = of_kind(runs)
    work = {kind: len(members) * members[0].protocol.work for kind, members in kinds.items()}
    counts = {kind: -(-len(members) // widths[kind]) for kind, members in kinds.items()}
    share = sum(work.values()) / workers

    def stack_work(kind: StackKey) -> float:
        return work[kind] / counts[kind]

    while divisible := [kind for kind, members in kinds.items() if counts[kind] < len(members)]:
        kind = max(divisible, key=stack_work)
        if sum(counts.values()) >= workers and stack_work(kind) <= share:
            break
        counts[kind] += 1
    for kind, members in kinds.items():
        if counts[kind] >= workers:
            counts[kind] = min(len(members), -(-counts[kind] // workers) * workers)
    cut = [stack for kind, members in kinds.items() for stack in _cut(members, counts[kind])]
    return sorted(cut, key=lambda stack: -sum(each.protocol.work for each in stack))


def _cut(members: Sequence[Run], count: int) -> list[Stack]:
    """So many stacks, as even as can be, the wider ones first."""
    each, more = divmod(len(members), count)
    ends = accumulate([each + (place < more) for place in range(count)], initial=0)
    return [list(members[begin:end]) for begin, end in pairwise(ends)]


def _measured(members: Sequence[Run], room: int | None, device: torch.device) -> Width:
    """The width of one kind, where a worker has `room` bytes for its stack."""
    on_cpu = device.type == "cpu"
    pays = PAYS.get(members[0].protocol.model, PAYS_OTHERS) if on_cpu else len(members)
    because = "on cpu no wider stack pays" if on_cpu else "all there are"
    try:
        each = training_bytes(members, device)
    except Exception as error:  # a strategy that cannot be trained fails in its own training, not here
        return Width(pays, f"{because}; memory not measured, {type(error).__name__}: {error}")
    if each is None or room is None:
        return Width(pays, f"{because}; this system does not tell of memory")
    return fitting(pays, because, each, room)


def fitting(pays: int, because: str, training_bytes: int, room: int) -> Width:
    """As many as pay, or as many as `room` bytes hold where that is less; one at least."""
    fit = max(1, room // training_bytes)
    if fit < pays:
        return Width(fit, f"more than {fit} do not fit into a worker's {max(room, 0) / 1e6:,.0f} MB", training_bytes)
    return Width(pays, because, training_bytes)
