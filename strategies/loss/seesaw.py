"""Seesaw loss: other classes weigh less if they were seen less often, more if they are confused with the target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss_function import CrossEntropy, Loss, LossContext, log_softmax
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Seesaw(Strategy):
    """Cross-entropy that weights each other class: down if fewer of its labels were seen, up if it gets more probability.

    As in mmdet, for every `j != y`, `z_j += log[min(1, (N_j / N_y)^p) max(1, (s_j / max(s_y, eps))^q)]`, with the softmax s,
    through which no gradient flows. N are the labels seen so far, this batch's included, at least 1. A batch is counted when
    its logits require a gradient, so evaluation under `torch.no_grad` counts nothing. The separate objectness scores of
    detectors are left out.

    Parameters
    ----------
    p : float, default 0.8
        Exponent of the counts (mitigation), 0 or more.
    q : float, default 2.0
        Exponent of the probabilities (compensation), 0 or more.
    eps : float, default 0.01
        Smallest probability of the target in the compensation, above 0 and at most 1.

    References
    ----------
    Wang et al. (2021), "Seesaw loss for long-tailed instance segmentation", CVPR.

    Examples
    --------
    >>> import torch
    >>> loss = Seesaw().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> _ = loss(torch.zeros(4, 2, requires_grad=True), torch.tensor([0, 0, 0, 1]))
    >>> loss.seen.tolist()
    [[3, 1]]
    """

    p: float = 0.8
    q: float = 2.0
    eps: float = 0.01
    name: ClassVar[str] = "seesaw"
    title: ClassVar[str] = "other classes weigh less if seen less often, more if they get more probability"
    formula: ClassVar[str] = "CE with z_j += log[min(1, (N_j / N_y)^p) max(1, (s_j / s_y)^q)], j != y"
    paper: ClassVar[str] = "Wang et al. (2021), CVPR"
    folder: ClassVar[str] = "loss"
    order_matters: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for parameter in ("p", "q"):
            if getattr(self, parameter) < 0:
                raise NotationError(f"{self.name}: {parameter} must be 0 or more; given: {getattr(self, parameter)}")
        if not 0 < self.eps <= 1:
            raise NotationError(f"{self.name}: eps must be more than 0 and at most 1; given: {self.eps}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _SeesawLoss(counts, self.p, self.q, self.eps)


class _SeesawLoss(CrossEntropy):
    seen: Tensor

    def __init__(self, counts: ClassCounts, p: float, q: float, eps: float) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros_like(counts.values).reshape(-1, counts.num_classes))
        self.p, self.q, self.log_eps = p, q, math.log(eps)

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        if logits.requires_grad:
            new = self.seen.new_zeros(len(targets), logits.shape[-1])
            self.seen = self.seen + new.scatter_add(1, targets, context.valid.to(new.dtype))
        seen = self.seen.clamp_min(1).to(logits.dtype).log().expand(len(targets), -1)
        scores = log_softmax(logits.detach())
        own = scores.gather(-1, targets.unsqueeze(-1)).clamp_min(self.log_eps)
        # Both are 0 for the target itself.
        mitigation = (seen.unsqueeze(1) - seen.gather(1, targets).unsqueeze(-1)).clamp_max(0)
        compensation = (scores - own).clamp_min(0)
        return super().elementwise(logits + self.p * mitigation + self.q * compensation, targets, context)
