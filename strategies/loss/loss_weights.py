"""Class weights by a power of the inverse class frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.labels import ClassCounts
from strategies.loss_function import ClassWeights, Reduction
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class LossWeights(Strategy):
    """Cross-entropy with class weights `(N / (C n_c))^power`.

    Parameters
    ----------
    power : float, default 1.0
        1 is inverse frequency, 0.5 its square root, 0 plain cross-entropy.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        "weighted-mean" divides by the sum of the weights of the batch's targets, as PyTorch does, "mean" by their number.

    References
    ----------
    King & Zeng (2001), "Logistic regression in rare events data", Political Analysis 9(2), for power 1.

    Examples
    --------
    >>> import torch
    >>> loss = LossWeights().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> loss(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])).item() == torch.log(torch.tensor(2.0)).item()
    True
    """

    power: float = 1.0
    reduction: Reduction = "weighted-mean"
    name: ClassVar[str] = "loss-weights"
    title: ClassVar[str] = "class weights (N / (C n_c))^power in the loss"
    formula: ClassVar[str] = "w_y CE(z, y), w_c = (N / (C n_c))^power"
    paper: ClassVar[str] = "King & Zeng (2001), Political Analysis"
    folder: ClassVar[str] = "loss"

    def class_weights(self, counts: ClassCounts) -> ClassWeights:
        return ClassWeights(counts.inverse(self.power), self.reduction)
