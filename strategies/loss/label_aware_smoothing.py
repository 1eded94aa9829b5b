"""Label smoothing that is stronger for more frequent classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss_function import Loss, LossContext, as_stack, log_softmax
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class LabelAwareSmoothing(Strategy):
    """Cross-entropy with labels smoothed by class: from `tail` for the rarest class that occurs to `head` for the most frequent
    one.

    This is the concave form of the paper (MiSLAS). As in the paper, the smoothing is spread over the other C - 1 classes (from
    memory; the code in circulation spreads it over all C). Classes of equal counts are all smoothed by `tail`, where the
    formula is 0 / 0.

    Parameters
    ----------
    head : float, default 0.3
        Smoothing of the most frequent class, from 0 to below 1.
    tail : float, default 0.0
        Smoothing of the rarest class, from 0 to below 1.

    References
    ----------
    Zhong et al. (2021), "Improving Calibration for Long-Tailed Recognition", CVPR.

    Examples
    --------
    >>> import torch
    >>> loss = LabelAwareSmoothing().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> loss.smoothing
    tensor([[0.3000, 0.0000]])
    """

    head: float = 0.3
    tail: float = 0.0
    name: ClassVar[str] = "label-aware-smoothing"
    title: ClassVar[str] = "label smoothing that is stronger for more frequent classes"
    formula: ClassVar[str] = "e_c = tail + (head - tail) sin(pi (n_c - n_min) / (2 (n_max - n_min)))"
    paper: ClassVar[str] = "Zhong et al. (2021), CVPR"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        for parameter in ("head", "tail"):
            if not 0 <= (given := getattr(self, parameter)) < 1:
                raise NotationError(f"{self.name}: {parameter} must be from 0 to below 1; given: {given}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        n = counts.values.to(torch.float64)
        lowest = torch.where(n > 0, n, torch.inf).amin(-1, keepdim=True)
        spread = n.amax(-1, keepdim=True) - lowest
        place = torch.where(spread > 0, (n - lowest) / spread, 0.0).clamp_min(0)
        return _Smoothed(self.tail + (self.head - self.tail) * torch.sin(math.pi / 2 * place))


class _Smoothed(Loss):
    smoothing: Tensor

    def __init__(self, smoothing: Tensor) -> None:
        super().__init__()
        self.register_buffer("smoothing", as_stack(smoothing))

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        log_p, target = log_softmax(logits), targets.unsqueeze(-1)
        own = -log_p.gather(-1, target).squeeze(-1)
        # The smoothing is spread over the other classes that are not masked by a logit of -inf.
        unmasked = log_p > -torch.inf
        others = -torch.where(unmasked, log_p, 0.0).scatter(-1, target, 0.0).sum(-1) / (unmasked.sum(-1) - 1).clamp_min(
            1
        )
        smoothing = self.smoothing.to(own.dtype).expand(len(targets), -1).gather(1, targets)
        return (1 - smoothing) * own + smoothing * others
