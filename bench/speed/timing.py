"""Timing in rounds: every variant is measured once per round, so that a busy machine slows all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")

ProgressCallback = Callable[[str], None]
"""Receives one line of text at each stage of a measurement."""


def ignore_progress(message: str) -> None:
    """Do nothing: the callback of a measurement whose progress nobody follows."""


def measure_in_turn(
    measurements: Mapping[Name, Callable[[], Value]], rounds: int, progress: ProgressCallback = ignore_progress
) -> dict[Name, list[Value]]:
    """Call each measurement once per round, one after another, and return the values of each in the order of the rounds."""
    values: dict[Name, list[Value]] = {name: [] for name in measurements}
    for number in range(1, rounds + 1):
        progress(f"round {number} of {rounds}")
        for name, measure in measurements.items():
            values[name].append(measure())
    return values


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median over rounds of each round's ratio.

    A round that met a busy machine changes both of its times, and so leaves its ratio almost as it is.
    """
    return median(above / below for above, below in zip(numerators, denominators, strict=True))


def time_call(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    """Return the seconds that one call of `work` takes, by `clock`."""
    begin = clock()
    work()
    return clock() - begin
