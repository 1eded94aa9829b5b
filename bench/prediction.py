"""How long trainings will take on this machine: a few steps of each kind are timed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import torch

from bench.plan import STACK_WIDTH
from bench.train.clock import Clock
from bench.train.evaluation import predict
from bench.train.program import Program
from bench.training import Training
from strategies import get

STEPS = 24


def predicted_seconds(trainings: Sequence[Training], workers: int, device: torch.device) -> float:
    """Wall-clock of training all of them: plain training of each task and protocol is timed, in a full stack."""
    kinds = defaultdict(list)
    for training in trainings:
        kinds[training.task, training.protocol].append(training)
    total = 0.0
    for members in kinds.values():
        step, evaluation = _timed_stack(members[0], min(STACK_WIDTH, len(members)), device)
        protocol = members[0].protocol
        # Every validation, and test twice: for the chosen checkpoint and for the last.
        total += len(members) * (protocol.steps * step + (protocol.steps // protocol.validate_every + 2) * evaluation)
    return total / workers


def _timed_stack(training: Training, width: int, device: torch.device) -> tuple[float, float]:
    """Seconds a step and an evaluation, for each training of a stack."""
    stacked = [replace(training, strategy=get("none"), seed=seed) for seed in range(width)]
    program, clock = Program(stacked, device), Clock()
    program.step(clock)  # the first step is slower than the others
    begin = perf_counter()
    for _ in range(STEPS):
        program.step(clock)
    between = perf_counter()
    predict(program.stack, [task.valid for task in program.tasks])
    return (between - begin) / STEPS / width, (perf_counter() - between) / width
