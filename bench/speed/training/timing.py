"""Milliseconds a step: runs of every variant in turn, each long enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter, process_time

import torch

ROUNDS = 7
WHOLE = 16
"""Steps of a run are a multiple of it: sentences of like length come in groups of so many batches."""
SHORTEST = 0.2
"""Seconds of a run."""


@dataclass(frozen=True)
class Runs:
    """Seconds a step in each round, and the steps of a round."""

    seconds: list[float]
    steps: int


def in_turn(
    steps: Mapping[str, Callable[[], object]], device: torch.device, say: Callable[[str], None], rounds: int = ROUNDS
) -> dict[str, Runs]:
    """One run of each a round, after a warm-up which tells how many steps make a run of `SHORTEST` seconds."""
    say("warm-up")
    runs = {name: Runs([], enough_steps(step, device)) for name, step in steps.items()}
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for name, step in steps.items():
            runs[name].seconds.append(seconds_of(step, runs[name].steps, device) / runs[name].steps)
    return runs


def enough_steps(step: Callable[[], object], device: torch.device) -> int:
    """Steps of a run of `SHORTEST` seconds or more, of which the first are done on the way."""
    step()
    once = seconds_of(step, WHOLE - 1, device) / (WHOLE - 1)
    return WHOLE * max(1, math.ceil(SHORTEST / once / WHOLE))


def seconds_of(step: Callable[[], object], times: int, device: torch.device) -> float:
    """Seconds of so many steps: on a CPU of this process's own time, which a busy machine stretches less; on a GPU by the
    clock, until all that they started there is done."""
    clock = perf_counter if device.type == "cuda" else process_time
    _finish(device)
    begin = clock()
    for _ in range(times):
        step()
    _finish(device)
    return clock() - begin


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
