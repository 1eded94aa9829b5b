"""Class weights by the count of the rarest class over the class's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from strategies.labels import ClassCounts
from strategies.loss_function import ClassWeights, Reduction
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class CostSensitiveWeights(Strategy):
    """Cross-entropy with class weights `(n_min / n_c)^gamma`, where n_min is the count of the rarest class that occurs.

    With the default reduction, which is that of the paper's code, the scale of the weights cancels, so this equals
    `loss-weights` with power gamma. With `reduction="mean"` the rarest class keeps its plain loss, and that of every other
    class shrinks.

    Parameters
    ----------
    gamma : float, default 1.0
        Exponent of the weights, 0 or more; 0 is plain cross-entropy.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        What the weighted loss is divided by (see `ClassWeights`).

    References
    ----------
    Zhang et al. (2021), "Bag of Tricks for Long-Tailed Visual Recognition with Deep Convolutional Neural Networks", AAAI.

    Examples
    --------
    >>> import torch
    >>> CostSensitiveWeights().loss(ClassCounts.of([0, 0, 0, 0, 1])).class_weights
    tensor([[0.2500, 1.0000]])
    """

    gamma: float = 1.0
    reduction: Reduction = "weighted-mean"
    name: ClassVar[str] = "cost-sensitive-weights"
    title: ClassVar[str] = "class weights (n_min / n_c)^gamma in the loss"
    formula: ClassVar[str] = "w_y CE(z, y), w_c = (n_min / n_c)^gamma"
    paper: ClassVar[str] = "Zhang et al. (2021), AAAI"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if self.gamma < 0:
            raise NotationError(f"{self.name}: gamma must be 0 or more; given: {self.gamma}")

    def class_weights(self, counts: ClassCounts) -> ClassWeights:
        occurs, n = counts.values > 0, counts.at_least_one()
        rarest = torch.where(occurs, n, torch.inf).amin(-1, keepdim=True)
        return ClassWeights(torch.where(occurs, (rarest / n) ** self.gamma, 0.0), self.reduction)
