"""The losses of a stack: each strategy's loss on its own slice of the runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from bench.train.stack import Outputs
from bench.train.strategy_slices import StrategySlice
from strategies import ClassCounts, Strategy
from strategies.loss_function import Loss


class StackLoss:
    """One loss per slice of a stack.

    `counts` are the class counts of each run's training part before resampling; `generators`, one per run, are for losses that
    use random numbers.
    """

    def __init__(
        self,
        slices: Sequence[StrategySlice],
        counts: Sequence[ClassCounts],
        generators: Sequence[Generator],
        device: torch.device,
    ) -> None:
        self._slices, self._counts, self._generators, self._device = slices, counts, generators, device
        self._losses: dict[int, Loss] = {}

    def start_phase(self, number: int, strategy: Strategy) -> None:
        """Use this strategy's loss for a slice, given by its number, from now on."""
        members = self._slices[number].members
        counts = ClassCounts.stack([self._counts[row] for row in members])
        loss = strategy.training_loss(counts, generators=[self._generators[row] for row in members])
        self._losses[number] = loss.to(self._device)

    @property
    def uses_host_rng(self) -> bool:
        """Whether one of the current losses uses random numbers from the host."""
        return any(loss.is_random for loss in self._losses.values())

    def __call__(self, outputs: Outputs, targets: Tensor, *, weight: Tensor | None = None) -> Tensor:
        """Return the loss of each run `(S,)` for `targets (S, M)`; `weight (S, M)` multiplies the loss of each label."""
        logits = outputs.logits.split([len(strategy_slice.members) for strategy_slice in self._slices])
        losses = []
        for number, strategy_slice in enumerate(self._slices):
            rows = strategy_slice.rows
            losses.append(
                self._losses[number].per_run(
                    logits[number],
                    targets[rows],
                    weight=None if weight is None else weight[rows],
                    features=None if outputs.features is None else outputs.features[rows],
                )
            )
        return torch.cat(losses)
