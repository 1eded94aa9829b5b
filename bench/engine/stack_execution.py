"""How the workers of every engine train a stack: neural models as one program, estimators one run after the other."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.engine.events import Finished, Stack
from bench.records.predictions import PredictedClasses
from bench.train.clock import Clock
from bench.train.fit_run import fit_run
from bench.train.loop import train


def train_stack(
    stack: Stack, device: torch.device, clock: Clock, on_steps: Callable[[int], None] = lambda steps: None
) -> Finished:
    """Train a stack; `on_steps(steps)` is called now and then with the steps since the last call, summed over the runs.

    A fit of an estimator counts as one step.
    """
    predicted: dict[str, PredictedClasses] = {}
    if not stack[0].protocol.is_estimator:
        outcomes = train(stack, device=device, clock=clock, on_steps=on_steps, on_predictions=predicted.__setitem__)
        return Finished(outcomes, predicted)
    outcomes = []
    for run in stack:
        outcomes.append(fit_run(run, clock, predicted.__setitem__))
        on_steps(run.protocol.steps)
    return Finished(outcomes, predicted)
