"""Vector-scaling loss: divide the logits by temperatures and add the log class prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from strategies.labels import ClassCounts
from strategies.loss.cdt import temperatures
from strategies.loss.logit_adjustment import AdjustedCrossEntropy
from strategies.loss_function import Loss
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class VectorScaling(Strategy):
    """Cross-entropy of logits divided by a temperature per class, plus `tau` times the log class prior; raw logits predict.

    The loss is `CE(z_c / Delta_c + tau log pi_c, y)` with `Delta_c = (n_max / n_c)^gamma`. With gamma 0 it is logit
    adjustment, with tau 0 class-dependent temperatures. A class without items counts as one label.

    Parameters
    ----------
    gamma : float, default 0.3
        Exponent of the temperatures, 0 or more.
    tau : float, default 1.0
        Multiplies the log prior, 0 or more.

    References
    ----------
    Kini et al. (2021), "Label-imbalanced and group-sensitive classification under overparameterization", NeurIPS.

    Examples
    --------
    >>> import torch
    >>> loss = VectorScaling().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(1, 2), torch.tensor([1])).exp().item(), 4)
    4.0
    """

    gamma: float = 0.3
    tau: float = 1.0
    name: ClassVar[str] = "vector-scaling"
    aliases: ClassVar[tuple[str, ...]] = ("vs",)
    title: ClassVar[str] = "logits divided by a temperature per class, plus the log class prior, in the loss"
    formula: ClassVar[str] = "CE(z_c / D_c + tau log pi_c, y), D_c = (n_max / n_c)^gamma"
    paper: ClassVar[str] = "Kini et al. (2021), NeurIPS"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        for parameter in ("gamma", "tau"):
            if getattr(self, parameter) < 0:
                raise NotationError(f"{self.name}: {parameter} must be 0 or more; given: {getattr(self, parameter)}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return AdjustedCrossEntropy(self.tau * counts.log_prior(), temperatures(counts, self.gamma))
