"""The textbook training loop: batch, zero gradients, loss, backward, step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn
from torch.optim import Optimizer

from bench.speed.training.textbook_batches import Batches


@dataclass(frozen=True)
class TextbookLoop:
    """One run trained by a loop by hand; a call is one step."""

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
