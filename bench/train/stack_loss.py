"""Each strategy's loss on its own slice of a stack."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from bench.train.stack import Outputs
from bench.train.strategy_slices import StrategySlice
from strategies import ClassCounts, Strategy
from strategies.loss.loss import Loss


class StackLoss:
    """Losses of a stack, one a slice; counts are those before resampling, generators are for losses that draw."""

    def __init__(
        self,
        slices: Sequence[StrategySlice],
        counts: Sequence[ClassCounts],
        generators: Sequence[Generator],
        device: torch.device,
    ) -> None:
        self._slices, self._counts, self._generators, self._device = slices, counts, generators, device
        self._losses: dict[int, Loss] = {}

    def enter(self, number: int, strategy: Strategy) -> None:
        """From now on a slice's loss is this strategy's."""
        members = self._slices[number].members
        counts = ClassCounts.stack([self._counts[row] for row in members])
        loss = strategy.loss(counts, generators=[self._generators[row] for row in members])
        self._losses[number] = loss.to(self._device)

    @property
    def draws(self) -> bool:
        """Whether a loss in force draws numbers on the host."""
        return any(each.is_random for each in self._losses.values())

    def __call__(self, outputs: Outputs, targets: Tensor, *, weight: Tensor | None = None) -> Tensor:
        """`targets (S, M)`, each element's loss multiplied by `weight (S, M)` -> a loss for each training `(S,)`."""
        logits = outputs.logits.split([len(each.members) for each in self._slices])
        return torch.cat(
            [
                self._losses[number].per_run(
                    logits[number],
                    targets[each.rows],
                    weight=None if weight is None else weight[each.rows],
                    features=None if outputs.features is None else outputs.features[each.rows],
                )
                for number, each in enumerate(self._slices)
            ]
        )
