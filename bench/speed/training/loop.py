"""The loop that everyone writes: batch, gradients to none, loss, backward, step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn
from torch.optim import Optimizer

from bench.speed.training.batches import Batches


@dataclass(frozen=True)
class Loop:
    """One training by hand; a call is a step."""

    module: nn.Module
    optimisers: Sequence[Optimizer]
    batches: Batches
    loss: nn.Module = field(default_factory=nn.CrossEntropyLoss)

    def __call__(self) -> None:
        *inputs, targets = next(self.batches)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        self.loss(self.module(*inputs).flatten(0, -2), targets.flatten()).backward()
        for optimiser in self.optimisers:
            optimiser.step()
