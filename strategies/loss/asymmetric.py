"""Asymmetric loss: separate focusing exponents for the target and for the other classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss.focal import steep_power
from strategies.loss_function import Loss, LossContext, log_softmax
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Asymmetric(Strategy):
    """Label-smoothed cross-entropy that focuses the target by `(1 - p_y)^gamma_pos` and each other class by `p_c^gamma_neg`.

    This is the softmax form in the authors' code for items of one label, with targets `t_y = 1 - smoothing + smoothing / C`
    and `t_c = smoothing / C`. Without smoothing only the target remains, so the loss is focal loss with gamma_pos. The
    authors' clipping of probabilities belongs to the multi-label form only.

    Parameters
    ----------
    gamma_pos : float, default 0.0
        Focusing exponent of the target, 0 or more.
    gamma_neg : float, default 4.0
        Focusing exponent of the other classes, 0 or more.
    smoothing : float, default 0.1
        Share of the target that is spread over all classes, from 0 to below 1.

    References
    ----------
    Ridnik et al. (2021), "Asymmetric Loss For Multi-Label Classification", ICCV.

    Examples
    --------
    >>> import torch
    >>> loss = Asymmetric().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)  # (0.95 + 0.05 / 2^4) log 2
    0.6607
    """

    gamma_pos: float = 0.0
    gamma_neg: float = 4.0
    smoothing: float = 0.1
    name: ClassVar[str] = "asymmetric"
    title: ClassVar[str] = "focal loss with separate exponents for the target and for the other classes"
    formula: ClassVar[str] = "-t_y (1 - p_y)^gamma_pos log p_y - sum over c of t_c p_c^gamma_neg log p_c"
    paper: ClassVar[str] = "Ridnik et al. (2021), ICCV"
    folder: ClassVar[str] = "loss"
    aliases: ClassVar[tuple[str, ...]] = ("asl",)

    def __post_init__(self) -> None:
        for parameter in ("gamma_pos", "gamma_neg"):
            if (given := getattr(self, parameter)) < 0:
                raise NotationError(f"{self.name}: {parameter} must be 0 or more; given: {given}")
        if not 0 <= self.smoothing < 1:
            raise NotationError(f"{self.name}: smoothing must be from 0 to below 1; given: {self.smoothing}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _Asymmetric(self.gamma_pos, self.gamma_neg, self.smoothing)


class _Asymmetric(Loss):
    def __init__(self, gamma_pos: float, gamma_neg: float, smoothing: float) -> None:
        super().__init__()
        self.gamma_pos, self.gamma_neg, self.smoothing = gamma_pos, gamma_neg, smoothing

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        log_p, target = log_softmax(logits), targets.unsqueeze(-1)
        # A class that is masked by a logit of -inf takes no part: p^gamma log p is 0 in the limit.
        others = torch.where(log_p > -torch.inf, log_p, 0.0)
        others = ((self.gamma_neg * others).exp() * -others).scatter(-1, target, 0.0).sum(-1)
        own = -log_p.gather(-1, target).squeeze(-1)
        own = steep_power(-torch.expm1(-own), self.gamma_pos) * own
        share = self.smoothing / logits.shape[-1]
        return (1 - self.smoothing + share) * own + share * others
