"""Keep rare classes out of the denominator of others' items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from strategies.draw.counter_rng import uniforms
from strategies.labels import ClassCounts
from strategies.loss.loss import CrossEntropy, Loss, LossContext
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class Equalisation(Strategy):
    """Cross-entropy in which rare classes are mostly left out of the softmax of other classes' items, at random.

    Tan et al. (2020), "Equalization loss for long-tailed object recognition", CVPR, its softmax form (SEQL):
    `-z_y + log sum_k w_k exp(z_k)`, `w_k = 1 - beta [pi_k < threshold] (1 - y_k)`, with beta 1 in a share `gamma` of cases, drawn
    for every label and class, as in BagofTricks-LT. That code is also the source of both defaults; the authors' own has only
    the sigmoid form. Draws come from `generators`, one number a call and training, or from ones that start from 0.

    >>> import torch
    >>> loss = Equalisation(gamma=1.0, threshold=0.3).loss(ClassCounts.of([0, 0, 0, 1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([0])).item(), round(loss(torch.zeros(1, 2), torch.tensor([1])).item(), 4)
    (0.0, 0.6931)
    """

    gamma: float = 0.9
    threshold: float = 0.005
    name: ClassVar[str] = "equalisation"
    aliases: ClassVar[tuple[str, ...]] = ("equalization", "seql")
    title: ClassVar[str] = "rare classes are left out of the softmax of others' items, at random"
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
        own = [Generator().manual_seed(0) for _ in rare] if generators is None else list(generators)
        return _EqualisationLoss(rare, self.gamma, own)


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
        left_out = self._drawn(targets.shape[1], classes, logits.device) & self.rare & others
        return super().elementwise(logits.masked_fill(left_out, -torch.inf), targets, context)

    def _drawn(self, positions: int, classes: int, device: torch.device) -> Tensor:
        """Where beta is 1, `(S, M, C)`: hashed from one number a training, so that what is drawn does not depend on M."""
        keys = [int(torch.randint(2**62, (), generator=each, device=each.device)) for each in self.generators]
        counters = torch.arange(positions * classes, device=device)
        drawn = torch.stack([uniforms(key, counters) for key in keys])
        return (drawn < self.gamma).view(len(keys), positions, classes)
