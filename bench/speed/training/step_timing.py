"""Seconds per step: how many steps a timed run needs, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter, process_time

import torch

from bench.machine.device import synchronize

ROUNDS = 7
STEPS_MULTIPLE = 16
"""The steps of a timed run are a multiple of this: batches of sentences come in groups of so many, sorted by length."""
SHORTEST = 0.2
"""Seconds that a timed run takes at least."""

Step = Callable[[], object]
"""One step of all runs that a variant trains at once."""


def count_steps(step: Step, device: torch.device) -> int:
    """Return how many steps take `SHORTEST` seconds or more; it takes `STEPS_MULTIPLE` of them to find out, as a warm-up."""
    step()
    seconds_per_step = time_steps(step, STEPS_MULTIPLE - 1, device) / (STEPS_MULTIPLE - 1)
    return STEPS_MULTIPLE * max(1, math.ceil(SHORTEST / seconds_per_step / STEPS_MULTIPLE))


def time_steps(step: Step, count: int, device: torch.device) -> float:
    """Return the seconds that `count` steps take.

    On a CPU it is this process's own time, which a busy machine stretches less than wall-clock time; on a GPU it is wall-clock
    time until the GPU has finished all that the steps started.
    """
    clock = perf_counter if device.type == "cuda" else process_time
    synchronize(device)
    begin = clock()
    for _ in range(count):
        step()
    synchronize(device)
    return clock() - begin
