"""Class weights by the effective number of samples of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.labels import ClassCounts
from strategies.loss_function import ClassWeights, Reduction
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class ClassBalancedLoss(Strategy):
    """Cross-entropy with class weights `(1 - beta) / (1 - beta^n_c)`, scaled to average 1 over the classes that occur.

    Where n_c is far below 1 / (1 - beta), the weights are about inverse frequency. The authors' code divides by the number of
    labels, which is `reduction="mean"`; the default is PyTorch's weighted mean, with which later code uses these weights.

    Parameters
    ----------
    beta : float, default 0.9999
        From 0 to below 1; 0 is plain cross-entropy.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        What the weighted loss is divided by (see `ClassWeights`).

    References
    ----------
    Cui et al. (2019), "Class-Balanced Loss Based on Effective Number of Samples", CVPR.

    Examples
    --------
    >>> import torch
    >>> loss = ClassBalancedLoss(beta=0.5).loss(ClassCounts.of([0, 0, 1]))
    >>> loss.class_weights
    tensor([[0.8000, 1.2000]])
    """

    beta: float = 0.9999
    reduction: Reduction = "weighted-mean"
    name: ClassVar[str] = "class-balanced-loss"
    title: ClassVar[str] = "class weights by effective number in the loss"
    formula: ClassVar[str] = "w_y CE(z, y), w_c ~ (1 - beta) / (1 - beta^n_c)"
    paper: ClassVar[str] = "Cui et al. (2019), CVPR"
    folder: ClassVar[str] = "loss"
    aliases: ClassVar[tuple[str, ...]] = ("effective-number-weights",)

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise NotationError(f"{self.name}: beta must be from 0 to below 1; given: {self.beta}")

    def class_weights(self, counts: ClassCounts) -> ClassWeights:
        return ClassWeights(counts.effective_number(self.beta), self.reduction)
