"""Seconds a draw: runs of every variant in turn, each long enough, each right after a pass of its own that is not timed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

Name = TypeVar("Name", bound=Hashable)

ROUNDS = 5
SHORTEST, LONGEST = 0.05, 1.0
"""Seconds of a run: passes are repeated up to the first; after the second, the rest of an epoch is inferred."""
SHORT = 0.5
"""Seconds below which a pass goes before: slower ones care little for what the cache holds."""


@dataclass(frozen=True)
class Walk:
    """An epoch to walk through: what begins it, what is done with each piece, and how many draws it has."""

    begin: Callable[[], Iterator[Any]]
    use: Callable[[Any], object]
    epoch: Callable[[], int]


@dataclass(frozen=True)
class Pass:
    """One walk through an epoch, or through its first second."""

    seconds: float
    draws: int
    seconds_a_draw: float


def walked(walk: Walk) -> Pass:
    """One pass. What an epoch takes until its first piece is there is shared by all its draws, also by those cut off."""
    begin = perf_counter()
    pieces = walk.begin()
    first = next(pieces)
    walk.use(first)
    opened = now = perf_counter()
    draws = len(first)
    for piece in pieces:
        walk.use(piece)
        draws += len(piece)
        now = perf_counter()
        if now - opened > LONGEST:
            shared = (opened - begin) / walk.epoch()
            return Pass(now - begin, draws, shared + (now - opened) / (draws - len(first)))
    return Pass(now - begin, draws, (now - begin) / draws)


def run(walk: Walk) -> Pass:
    """Passes until `SHORTEST` seconds are over, as one."""
    passes = [walked(walk)]
    while sum(each.seconds for each in passes) < SHORTEST:
        passes.append(walked(walk))
    mean = sum(each.seconds_a_draw for each in passes) / len(passes)
    return Pass(sum(each.seconds for each in passes), sum(each.draws for each in passes), mean)


def in_turn(walks: Mapping[Name, Walk], say: Callable[[str], None], rounds: int = ROUNDS) -> dict[Name, list[Pass]]:
    """One run of each walk a round; a pass of the same walk, not timed, goes right before."""
    runs: dict[Name, list[Pass]] = {name: [] for name in walks}
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for name, walk in walks.items():
            if not runs[name] or runs[name][-1].seconds < SHORT:
                walked(walk)
            runs[name].append(run(walk))
    return runs
