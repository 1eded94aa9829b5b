"""LDAM: a margin that is larger for rarer classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss_function import CrossEntropy, Loss, LossContext, as_stack
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class LDAM(Strategy):
    """Cross-entropy in which the target's cosine is reduced by a margin that is larger for rarer classes.

    The loss is `CE(s (cos - m_y e_y), y)` with `m_c` proportional to `n_c^(-1/4)`. It needs a last layer that gives
    `scale * cos(features, weight)`: a `CosineHead` of the same scale. The loss takes its logits as they are, and they predict
    without the margin.

    Parameters
    ----------
    max_margin : float, default 0.5
        The margin of the rarest class that has items, 0 or more.
    scale : float, default 30.0
        The scale s of the cosines, above 0.

    References
    ----------
    Cao et al. (2019), "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS.

    Examples
    --------
    >>> import torch
    >>> from strategies import CosineHead
    >>> strategy = LDAM(scale=30.0)
    >>> head = CosineHead(8, 2, scale=strategy.cosine_scale)
    >>> loss = strategy.loss(ClassCounts.of([0] * 16 + [1]))
    >>> loss.margins.tolist()
    [[0.25, 0.5]]
    >>> bool(loss(head(torch.ones(4, 8)), torch.tensor([0, 0, 0, 1])) > 0)
    True
    """

    max_margin: float = 0.5
    scale: float = 30.0
    name: ClassVar[str] = "ldam"
    title: ClassVar[str] = "cosine logits with a margin that grows as the class gets rarer"
    formula: ClassVar[str] = "CE(s (cos - m_y e_y), y), m_c ~ n_c^(-1/4)"
    paper: ClassVar[str] = "Cao et al. (2019), NeurIPS"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if self.max_margin < 0:
            raise NotationError(f"{self.name}: max_margin must be 0 or more; given: {self.max_margin}")
        if self.scale <= 0:
            raise NotationError(f"{self.name}: scale must be more than 0; given: {self.scale}")

    @property
    def cosine_scale(self) -> float:
        return self.scale

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        # A class without items is never a target: it gets no margin, and does not shrink those of the others.
        n = counts.values.double().masked_fill(counts.values == 0, torch.inf)
        return _MarginCrossEntropy(self.max_margin * (n.amin(-1, keepdim=True) / n) ** 0.25, self.scale)


class _MarginCrossEntropy(CrossEntropy):
    margins: Tensor

    def __init__(self, margins: Tensor, scale: float) -> None:
        super().__init__()
        self.register_buffer("margins", as_stack(margins))
        self.scale = scale

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        short = F.one_hot(targets, logits.shape[-1]) * self.margins.unsqueeze(1)
        return super().elementwise(logits - self.scale * short, targets, context)
