"""Influence-balanced loss: items that move the decision boundary more count less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch.nn.functional as F
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss_function import CrossEntropy, Loss, LossContext, as_stack
from strategies.none import Plain
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Phase, Strategy


@register
@dataclass(frozen=True)
class InfluenceBalanced(Strategy):
    """Cross-entropy at first; later divided by each item's influence on the last layer, and weighted by class.

    The second phase minimises the batch mean of `w_y alpha / (|p - e_y|_1 |h|_1 + 0.001) CE(z, y)`, with `w_c = C n_c^-1 / sum
    n^-1`, the softmax p and the inputs h of the last layer. As in the authors' code, the gradient flows through the weights
    too, and half of training comes first with cross-entropy. Their script also divides the learning rate by 100 at the start
    of the second phase; here the learning rate is left to the protocol.

    Parameters
    ----------
    alpha : float, default 1000.0
        Scale of the weights, above 0; 1000 as in the authors' script (10000 in their class).
    start : float, default 0.5
        Share of the steps after which the second phase begins, from 0 to below 1.

    References
    ----------
    Park et al. (2021), "Influence-balanced loss for imbalanced visual classification", ICCV.

    Examples
    --------
    >>> import torch
    >>> loss = InfluenceBalanced().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> logits, targets, features = torch.zeros(1, 2), torch.tensor([1]), torch.tensor([[3.0, -1.0]])
    >>> round(loss(logits, targets, features=features).item(), 1)  # 1.5 * 1000 / 4.001 * 0.6931
    259.9
    """

    alpha: float = 1000.0
    start: float = 0.5
    name: ClassVar[str] = "influence-balanced"
    title: ClassVar[str] = "cross-entropy, later divided by each item's influence on the last layer"
    formula: ClassVar[str] = "w_y alpha / (|p - e_y|_1 |h|_1 + 0.001) CE(z, y), w_c ~ 1 / n_c"
    paper: ClassVar[str] = "Park et al. (2021), ICCV"
    folder: ClassVar[str] = "loss"
    needs_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.alpha <= 0:
            raise NotationError(f"{self.name}: alpha must be more than 0; given: {self.alpha}")
        if not 0 <= self.start < 1:
            raise NotationError(f"{self.name}: start must be from 0 to below 1; given: {self.start}")

    def phases(self) -> tuple[Phase, ...]:
        if not self.start:
            return (Phase(1.0, self),)
        return (Phase(self.start, Plain()), Phase(1.0, replace(self, start=0.0)))

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        inverse = counts.inverse()
        weights = inverse * counts.num_classes / inverse.sum(-1, keepdim=True)
        return _InfluenceBalancedLoss(self.alpha * weights)


class _InfluenceBalancedLoss(CrossEntropy):
    scaled: Tensor

    def __init__(self, scaled: Tensor) -> None:
        super().__init__()
        self.register_buffer("scaled", as_stack(scaled))

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        if context.features is None:
            raise ValueError(
                "influence-balanced reads the inputs of the last layer; given: no features. "
                "Call loss(logits, targets, features=h) with h (..., H)."
            )
        loss = super().elementwise(logits, targets, context)
        error = (logits.softmax(-1) - F.one_hot(targets, logits.shape[-1])).abs().sum(-1)
        influence = error * context.features.to(logits.dtype).abs().sum(-1)
        return loss * self.scaled.expand(len(targets), -1).gather(1, targets) / (influence + 1e-3)
