"""Seconds per draw: passes through epochs, each timed run long enough and warmed up by an untimed pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

ROUNDS = 5
SHORTEST, LONGEST = 0.05, 1.0
"""Seconds of a timed run: passes are repeated up to the first; a pass is cut at the second, and its time extrapolated."""
WARM_UP_BELOW = 0.5
"""Seconds of a timed run below which an untimed pass goes before: longer runs hardly depend on what the cache holds."""


@dataclass(frozen=True)
class EpochPass:
    """How to go through an epoch: what starts it, what is done with each chunk, and how many draws it has."""

    start: Callable[[], Iterator[Any]]
    use: Callable[[Any], object]
    epoch_length: Callable[[], int]


@dataclass(frozen=True)
class PassTiming:
    """The time of one or more passes through an epoch, or through its first second."""

    seconds: float
    draws: int
    seconds_per_draw: float


def time_pass(epoch_pass: EpochPass) -> PassTiming:
    """Time one pass; one longer than `LONGEST` seconds after its first chunk is cut there.

    Some samplers prepare a whole epoch before they yield its first chunk. In a pass that is cut, this time is therefore
    divided by all draws of the epoch, and only the time after it by the draws that were made.
    """
    begin = perf_counter()
    chunks = epoch_pass.start()
    first = next(chunks)
    epoch_pass.use(first)
    opened = now = perf_counter()
    draws = len(first)
    for chunk in chunks:
        epoch_pass.use(chunk)
        draws += len(chunk)
        now = perf_counter()
        if now - opened > LONGEST:
            opening_per_draw = (opened - begin) / epoch_pass.epoch_length()
            return PassTiming(now - begin, draws, opening_per_draw + (now - opened) / (draws - len(first)))
    return PassTiming(now - begin, draws, (now - begin) / draws)


def time_passes(epoch_pass: EpochPass) -> PassTiming:
    """Time passes until they have taken `SHORTEST` seconds together; seconds per draw are the mean over passes."""
    timings = [time_pass(epoch_pass)]
    while sum(timing.seconds for timing in timings) < SHORTEST:
        timings.append(time_pass(epoch_pass))
    seconds_per_draw = sum(timing.seconds_per_draw for timing in timings) / len(timings)
    return PassTiming(
        sum(timing.seconds for timing in timings), sum(timing.draws for timing in timings), seconds_per_draw
    )


@dataclass
class WarmedUpPasses:
    """Passes of one stream: each call times a run of them, right after an untimed pass unless the last run was long."""

    epoch_pass: EpochPass
    last_seconds: float = 0.0

    def __call__(self) -> PassTiming:
        if self.last_seconds < WARM_UP_BELOW:
            time_pass(self.epoch_pass)
        timing = time_passes(self.epoch_pass)
        self.last_seconds = timing.seconds
        return timing
