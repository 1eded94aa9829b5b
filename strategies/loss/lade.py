"""LADE: balanced softmax, with a regulariser of each class's logits over the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss.logit_adjustment import AdjustedCrossEntropy
from strategies.loss_function import Loss, as_stack, at_least_32_bits, sequential_sum
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class LADE(Strategy):
    """Balanced softmax minus `alpha` times a regularised Donsker-Varadhan bound of each class's logit; predictions use raw
    logits.

    As in the authors' code, the loss is `CE(z + log pi, y) - alpha sum_c pi_c (A_c - B_c - remine_lambda B_c^2)`, where `A_c`
    is the mean of `z_c` over the batch's labels of class c (0 if there are none) and `B_c = log mean exp(z_c - log(C pi_c))`
    over the whole batch. For mixed pairs, their shares weight `A_c`, and the mean share weights the bound.

    No effective prior is known: that of balanced softmax is uniform, but `B_c^2` pulls the mean of `exp(z_c)` towards `C
    pi_c`, the prior of the data.

    Parameters
    ----------
    alpha : float, default 0.1
        Weight of the bound, 0 or more; 0 is balanced softmax.
    remine_lambda : float, default 0.01
        Weight of `B_c^2` in the bound, 0 or more; 0.01 as in the README's CIFAR-100 commands (0.1 in the configuration file).

    References
    ----------
    Hong et al. (2021), "Disentangling label distribution for long-tailed visual recognition", CVPR.

    Examples
    --------
    >>> import torch
    >>> loss = LADE().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> bool(loss(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])).isfinite())
    True
    """

    alpha: float = 0.1
    remine_lambda: float = 0.01
    name: ClassVar[str] = "lade"
    title: ClassVar[str] = "balanced softmax, plus a regulariser of each class's logits over the batch"
    formula: ClassVar[str] = "CE(z + log pi, y) - alpha sum_c pi_c (A_c - B_c - lambda B_c^2)"
    paper: ClassVar[str] = "Hong et al. (2021), CVPR"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        for parameter in ("alpha", "remine_lambda"):
            if getattr(self, parameter) < 0:
                raise NotationError(f"{self.name}: {parameter} must be 0 or more; given: {getattr(self, parameter)}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _LADELoss(counts, self.alpha, self.remine_lambda)


class _LADELoss(AdjustedCrossEntropy):
    prior: Tensor

    def __init__(self, counts: ClassCounts, alpha: float, remine_lambda: float) -> None:
        super().__init__(counts.log_prior())
        self.register_buffer("prior", as_stack(counts.prior()))
        self.alpha, self.remine_lambda = alpha, remine_lambda

    def per_run(
        self,
        logits: Tensor,
        targets: Tensor,
        *,
        weight: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        logits = at_least_32_bits(logits)
        cross_entropy = super().per_run(logits, targets, weight=weight, features=features)
        valid = ~self.ignored_mask(targets)
        share = valid.to(logits.dtype) if weight is None else torch.where(valid, weight, 0.0)
        items = sequential_sum(valid.to(logits.dtype)).clamp_min(1)
        return cross_entropy - self.alpha * sequential_sum(share) / items * self._bound(
            logits, targets, valid, share, items
        )

    def _bound(self, logits: Tensor, targets: Tensor, valid: Tensor, share: Tensor, items: Tensor) -> Tensor:
        """Return the regularised bound of each run of a stack, `(S,)`."""
        classes = logits.shape[-1]
        of_class = F.one_hot(targets.masked_fill(~valid, 0), classes) * share.unsqueeze(-1)
        # `where`, not a product: an ignored position's logits may be infinite.
        # A class that is masked by a logit of -inf, or of the lowest number, takes no part where it is.
        takes_part = valid.unsqueeze(-1) & (logits > torch.finfo(logits.dtype).min / 2)
        summed = sequential_sum(of_class * torch.where(takes_part, logits, 0.0))
        own = summed / (sequential_sum(of_class) + 1e-8)
        spread = logits - self.shift - math.log(classes)
        every = sequential_log_sum_exp(spread.masked_fill(~takes_part, -torch.inf)) - items.log().unsqueeze(1)
        every = torch.where(takes_part.any(1), every, 0.0)
        return sequential_sum((own - every - self.remine_lambda * every.square()) * self.prior)


def sequential_log_sum_exp(x: Tensor) -> Tensor:
    """Return `log sum exp` of `x (S, M, C)` over M, `(S, C)`; trailing -inf (padding) changes no bit, and nothing but -inf
    gives 0.
    """
    if not x.shape[1]:
        return x.sum(1)
    peak = x.detach().amax(1, keepdim=True)
    peak = torch.where(peak > -torch.inf, peak, 0.0)
    total = sequential_sum((x - peak).exp())
    return torch.where(total > 0, total, 1.0).log() + peak.squeeze(1)
