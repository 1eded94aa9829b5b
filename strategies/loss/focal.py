"""Focal loss: well-classified labels count less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss_function import ClassWeights, Loss, LossContext, Reduction, cross_entropy
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Focal(Strategy):
    """Cross-entropy times `(1 - p_y)^gamma`, where p_y is the softmax probability of the target.

    The paper's loss is for two classes and has a weight alpha for one of them. Here class weights are combined instead, as in
    `focal + loss-weights`; p_y is then that of the unweighted cross-entropy.

    Parameters
    ----------
    gamma : float, default 2.0
        Focusing exponent, 0 or more; 0 is plain cross-entropy.

    References
    ----------
    Lin et al. (2017), "Focal Loss for Dense Object Detection", ICCV.

    Examples
    --------
    >>> import torch
    >>> loss = Focal().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)  # (1 - 1/2)^2 log 2
    0.1733
    """

    gamma: float = 2.0
    name: ClassVar[str] = "focal"
    title: ClassVar[str] = "focal loss: well-classified labels count less"
    formula: ClassVar[str] = "(1 - p_y)^gamma CE(z, y)"
    paper: ClassVar[str] = "Lin et al. (2017), ICCV"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if self.gamma < 0:
            raise NotationError(f"{self.name}: gamma must be 0 or more; given: {self.gamma}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _Focal(self.gamma)


@register
@dataclass(frozen=True)
class ClassBalancedFocal(Strategy):
    """Focal loss with class weights by the effective number of samples, as in `class-balanced-loss`.

    The loss is `w_y (1 - p_y)^gamma CE(z, y)`. The paper sums a sigmoid loss per class; this is the softmax form, as all
    losses here.

    Parameters
    ----------
    beta : float, default 0.9999
        Of the class weights `(1 - beta) / (1 - beta^n_c)`, from 0 to below 1.
    gamma : float, default 1.0
        Focusing exponent, 0 or more; 1 as in the authors' code.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        What the weighted loss is divided by (see `ClassWeights`); the authors' code takes "mean".

    References
    ----------
    Cui et al. (2019), "Class-Balanced Loss Based on Effective Number of Samples", CVPR.

    Examples
    --------
    >>> import torch
    >>> loss = ClassBalancedFocal().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])).item(), 4)
    0.3466
    """

    beta: float = 0.9999
    gamma: float = 1.0
    reduction: Reduction = "weighted-mean"
    name: ClassVar[str] = "class-balanced-focal"
    title: ClassVar[str] = "focal loss with class weights by effective number"
    formula: ClassVar[str] = "w_y (1 - p_y)^gamma CE(z, y), w_c ~ (1 - beta) / (1 - beta^n_c)"
    paper: ClassVar[str] = "Cui et al. (2019), CVPR"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise NotationError(f"{self.name}: beta must be from 0 to below 1; given: {self.beta}")
        if self.gamma < 0:
            raise NotationError(f"{self.name}: gamma must be 0 or more; given: {self.gamma}")

    def class_weights(self, counts: ClassCounts) -> ClassWeights:
        return ClassWeights(counts.effective_number(self.beta), self.reduction)

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _Focal(self.gamma, self.class_weights(counts))


class _Focal(Loss):
    def __init__(self, gamma: float, class_weights: ClassWeights | None = None) -> None:
        super().__init__(class_weights)
        self.gamma = gamma

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        loss = cross_entropy(logits, targets)
        return steep_power(-torch.expm1(-loss), self.gamma) * loss


_EXACT = (0.0, 0.5, 1.0, 2.0, 3.0)
"""Exponents that torch computes by roots and products, which round alike everywhere."""
_WHOLE_VECTORS = 64
"""Elements that are a multiple of every processor's vector width."""


def steep_power(q: Tensor, exponent: float) -> Tensor:
    """Return `q^exponent` of shares q in [0, 1], with a finite slope at 0, where that of an exponent below 1 is infinite.

    Use it in losses instead of `q ** exponent`. On a CPU, torch rounds most powers differently where a tensor's end does not
    fill a vector. Here q is padded, so that an element's power does not depend on how many others there are, and therefore not
    on the other runs of a stack.
    """
    q = q.clamp_min(torch.finfo(q.dtype).eps)
    missing = -q.numel() % _WHOLE_VECTORS
    if exponent in _EXACT or not missing:
        return q**exponent
    padded: Tensor = torch.nn.functional.pad(q.flatten(), (0, missing), value=1.0) ** exponent
    return padded[: q.numel()].view_as(q)
