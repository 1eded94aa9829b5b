"""How the workers of every engine train a stack: neural models as one program, estimators one run after the other."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.engine.events import Advanced, Finished, Stack
from bench.records.predictions import PredictedClasses
from bench.train.clock import Clock
from bench.train.fit_run import fit_run
from bench.train.loop import train


def train_stack(
    stack: Stack,
    device: torch.device,
    clock: Clock,
    on_advance: Callable[[Advanced], None] = lambda advanced: None,
) -> Finished:
    """Train a stack; `on_advance` is called after every validation, or after every fit of an estimator, which has no steps."""
    predicted: dict[str, PredictedClasses] = {}
    protocol = stack[0].protocol
    if protocol.is_estimator:
        outcomes = []
        for run in stack:
            outcomes.append(fit_run(run, clock, predicted.__setitem__))
            on_advance(Advanced(0, protocol.work))
        return Finished(outcomes, predicted)
    step_work = protocol.work / protocol.steps
    outcomes = train(
        stack,
        device=device,
        clock=clock,
        on_steps=lambda steps: on_advance(Advanced(steps, steps * step_work)),
        on_predictions=predicted.__setitem__,
    )
    return Finished(outcomes, predicted)
