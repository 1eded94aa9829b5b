"""Class-dependent temperatures: divide each class's logit by a temperature in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss.logit_adjustment import AdjustedCrossEntropy
from strategies.loss_function import Loss
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class ClassDependentTemperatures(Strategy):
    """Cross-entropy of logits divided by a temperature that is higher for rarer classes; predictions use the raw logits.

    The loss is `CE(z_c / a_c, y)` with `a_c = (n_max / n_c)^gamma`. A class without items counts as one label.

    Parameters
    ----------
    gamma : float, default 0.2
        Exponent of the temperature, 0 or more; 0 is plain cross-entropy. The paper tunes it from 0 to 0.4 on CIFAR-10 and to
        0.2 on CIFAR-100.

    References
    ----------
    Ye et al. (2020), "Identifying and compensating for feature deviation in imbalanced deep learning", arXiv 2001.01385.

    Examples
    --------
    >>> import torch
    >>> loss = ClassDependentTemperatures(gamma=1.0).loss(ClassCounts.of([0, 0, 1]))
    >>> loss.temperature.flatten().tolist()
    [1.0, 2.0]
    """

    gamma: float = 0.2
    name: ClassVar[str] = "class-dependent-temperatures"
    aliases: ClassVar[tuple[str, ...]] = ("cdt",)
    title: ClassVar[str] = "the logits of rare classes are divided by a temperature in the loss"
    formula: ClassVar[str] = "CE(z_c / a_c, y), a_c = (n_max / n_c)^gamma"
    paper: ClassVar[str] = "Ye et al. (2020), arXiv"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if self.gamma < 0:
            raise NotationError(f"{self.name}: gamma must be 0 or more; given: {self.gamma}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return AdjustedCrossEntropy(torch.zeros_like(counts.log_prior()), temperatures(counts, self.gamma))


def temperatures(counts: ClassCounts, gamma: float) -> Tensor:
    """Return `(n_max / n_c)^gamma`, `(..., C)` float64; a class without items counts as one label."""
    n = counts.at_least_one()
    return (n.amax(-1, keepdim=True) / n) ** gamma
