"""Dice losses: one minus a soft F1 of each prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss.focal import steep_power
from strategies.loss_function import Loss, LossContext
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Dice(Strategy):
    """One minus the Dice coefficient of each prediction, summed over the classes, each against the rest.

    It is computed from softmax probabilities p and the one-hot target y. Each label has its own coefficient, as in the paper;
    the authors' code does so only with `squared=True`, which their scripts use, and else sums the denominator over the batch.

    Parameters
    ----------
    smooth : float, default 1.0
        Added to numerator and denominator, above 0.
    squared : bool, default True
        Whether p and y are squared in the denominator.

    References
    ----------
    Li et al. (2020), "Dice Loss for Data-imbalanced NLP Tasks", ACL.

    Examples
    --------
    >>> import torch
    >>> loss = Dice().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)  # 1 - 2/2.25 + 1 - 1/1.25
    0.3111
    """

    smooth: float = 1.0
    squared: bool = True
    name: ClassVar[str] = "dice"
    title: ClassVar[str] = "Dice loss: one minus a soft F1 of each prediction"
    formula: ClassVar[str] = "sum over c of 1 - (2 p y + smooth) / (p^2 + y^2 + smooth)"
    paper: ClassVar[str] = "Li et al. (2020), ACL"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        _check_smooth(self.name, self.smooth)

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _Dice(0.0, self.smooth, self.squared)


@register
@dataclass(frozen=True)
class SelfAdjustingDice(Strategy):
    """Dice loss of `p' = (1 - p)^alpha p`, which reduces the influence of confident predictions.

    The defaults are those of the authors' named-entity scripts, whose mining of hard negatives is not included. p' is largest
    at p = 1 / (1 + alpha), so with alpha 1 (the factor `1 - p` itself) a target is pushed no further than to p = 1/2.

    Parameters
    ----------
    alpha : float, default 0.01
        Exponent of the factor `1 - p`, 0 or more; 0 is plain Dice.
    smooth : float, default 1.0
        Added to numerator and denominator, above 0.
    squared : bool, default True
        Whether p' and y are squared in the denominator.

    References
    ----------
    Li et al. (2020), "Dice Loss for Data-imbalanced NLP Tasks", ACL.

    Examples
    --------
    >>> import torch
    >>> loss = SelfAdjustingDice(alpha=1.0).loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)  # 1 - 1.5/2.0625 + 1 - 1/1.0625
    0.3316
    """

    alpha: float = 0.01
    smooth: float = 1.0
    squared: bool = True
    name: ClassVar[str] = "self-adjusting-dice"
    title: ClassVar[str] = "Dice loss in which confident predictions count less"
    formula: ClassVar[str] = "sum over c of 1 - (2 p' y + smooth) / (p'^2 + y^2 + smooth), p' = (1 - p)^alpha p"
    paper: ClassVar[str] = "Li et al. (2020), ACL"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if self.alpha < 0:
            raise NotationError(f"{self.name}: alpha must be 0 or more; given: {self.alpha}")
        _check_smooth(self.name, self.smooth)

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _Dice(self.alpha, self.smooth, self.squared)


class _Dice(Loss):
    def __init__(self, alpha: float, smooth: float, squared: bool) -> None:
        super().__init__()
        self.alpha, self.smooth, self.exponent = alpha, smooth, 2 if squared else 1

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        p = logits.softmax(-1)
        p = steep_power(1 - p, self.alpha) * p
        y = F.one_hot(targets, logits.shape[-1]).to(p.dtype)
        return (1 - (2 * p * y + self.smooth) / (p**self.exponent + y + self.smooth)).sum(-1)


def _check_smooth(name: str, smooth: float) -> None:
    if smooth <= 0:
        raise NotationError(
            f"{name}: smooth must be above 0, since otherwise classes other than the target have no gradient; given: {smooth}"
        )
