"""One measurement of training, from models and widths to a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import torch

from bench.machine.facts import facts
from bench.speed.training.measure import measure
from bench.speed.training.memory import STEPS
from bench.speed.training.result import Result
from bench.speed.training.tasks import TASKS
from bench.speed.training.timing import ROUNDS, SHORTEST, WHOLE
from bench.speed.training.two_processes import two_against_one

METHOD = (
    f"one thread; all variants of a model in turn in one process, {ROUNDS} rounds after a warm-up, medians (of ratios: of each "
    f"round's ratio); a timed run is a multiple of {WHOLE} steps that takes {SHORTEST * 1e3:.0f} ms or more, drawing and "
    "gathering included; times are the process's own on a CPU, by the clock on a GPU and of two processes; nothing is compiled; "
    f"memory: the peak of {STEPS} steps in a process of its own"
)
WIDTH_OF_TWO = 5
"""Trainings of the stack in each of two processes."""


def run(
    models: Sequence[str], widths: Sequence[int], device: torch.device, command: str, say: Callable[[str], None]
) -> Result:
    """All variants of these models, on one thread."""
    torch.set_num_threads(1)
    notes = [*_busy(), *([] if device.type == "cuda" else ["GPU: not measured"])]
    rows, two_processes = [], []
    for model in models:
        say_of_it = _prefixed(model, say)
        rows += measure(model, TASKS[model], widths, device, say_of_it)
        two_processes.append(two_against_one(model, TASKS[model], WIDTH_OF_TWO, device, say_of_it))
    return Result(command, facts(device, "torch"), METHOD, rows, two_processes, notes)


def _busy() -> Iterator[str]:
    """A note where others use the machine too, if it tells."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load >= 1:
        yield f"the machine was busy before (load {load:.1f}): two processes may seem slower than they are"


def _prefixed(model: str, say: Callable[[str], None]) -> Callable[[str], None]:
    return lambda what: say(f"{model}: {what}")
