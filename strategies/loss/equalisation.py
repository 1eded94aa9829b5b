"""Equalisation loss: leave rare classes out of the softmax denominator of other classes' labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from strategies.draw.counter_rng import uniforms
from strategies.labels import ClassCounts
from strategies.loss_function import CrossEntropy, Loss, LossContext
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Equalisation(Strategy):
    """Cross-entropy in which rare classes are mostly left out of the softmax of other classes' labels, at random.

    This is the softmax form (SEQL): `-z_y + log sum_k w_k exp(z_k)` with `w_k = 1 - beta [pi_k < threshold] (1 - y_k)`, where
    beta is 1 with probability `gamma`, independently for every label and class, as in BagofTricks-LT. That code is also the
    source of both defaults; the authors' own code has only the sigmoid form. Random numbers come from `generators`: one number
    per call and run keys a counter-based generator.

    Parameters
    ----------
    gamma : float, default 0.9
        Probability that a rare class is left out, from 0 to 1.
    threshold : float, default 0.005
        The share of labels below which a class is rare, from 0 to 1.

    References
    ----------
    Tan et al. (2020), "Equalization loss for long-tailed object recognition", CVPR.

    Examples
    --------
    >>> import torch
    >>> loss = Equalisation(gamma=1.0, threshold=0.3).loss(ClassCounts.of([0, 0, 0, 1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([0])).item(), round(loss(torch.zeros(1, 2), torch.tensor([1])).item(), 4)
    (0.0, 0.6931)
    """

    gamma: float = 0.9
    threshold: float = 0.005
    name: ClassVar[str] = "equalisation"
    aliases: ClassVar[tuple[str, ...]] = ("equalization", "seql")
    title: ClassVar[str] = "rare classes are left out of the softmax of other classes' labels, at random"
    formula: ClassVar[str] = (
        "-z_y + log sum_k w_k exp(z_k), w_k = 1 - beta [pi_k < t] [k != y], beta ~ Bernoulli(gamma)"
    )
    paper: ClassVar[str] = "Tan et al. (2020), CVPR"
    folder: ClassVar[str] = "loss"
    order_matters: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for parameter in ("gamma", "threshold"):
            if not 0 <= getattr(self, parameter) <= 1:
                raise NotationError(f"{self.name}: {parameter} must be from 0 to 1; given: {getattr(self, parameter)}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        rare = (counts.prior() < self.threshold).reshape(-1, counts.num_classes)
        if generators is None:
            generators = [Generator().manual_seed(0) for _ in rare]
        return _EqualisationLoss(rare, self.gamma, generators)


class _EqualisationLoss(CrossEntropy):
    rare: Tensor
    is_random: ClassVar[bool] = True

    def __init__(self, rare: Tensor, gamma: float, generators: Sequence[Generator]) -> None:
        super().__init__()
        self.register_buffer("rare", rare.unsqueeze(1))
        self.gamma, self.generators = gamma, generators

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        classes = logits.shape[-1]
        others = F.one_hot(targets, classes) == 0
        left_out = self._random_mask(targets.shape[1], classes, logits.device) & self.rare & others
        return super().elementwise(logits.masked_fill(left_out, -torch.inf), targets, context)

    def _random_mask(self, positions: int, classes: int, device: torch.device) -> Tensor:
        """Return where beta is 1, `(S, M, C)`; hashed from one number per run, so that a label's value does not depend on M."""
        keys = [int(torch.randint(2**62, (), generator=own, device=own.device)) for own in self.generators]
        counters = torch.arange(positions * classes, device=device)
        uniform = torch.stack([uniforms(key, counters) for key in keys])
        return (uniform < self.gamma).view(len(keys), positions, classes)
