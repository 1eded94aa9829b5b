"""Ignore the majority class in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Generator, Tensor

from strategies.labels import ClassCounts
from strategies.loss_function import CrossEntropy, Loss
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class IgnoreIndex(Strategy):
    """Ignore targets of the majority class in the loss, as with `CrossEntropyLoss(ignore_index=majority)`.

    The logit of the ignored class is only ever pushed down, so that class is hardly ever predicted; metrics still count it. A
    batch of nothing but ignored targets has a loss of 0, where PyTorch's own gives NaN. Folklore, without a paper.

    Examples
    --------
    >>> import torch
    >>> loss = IgnoreIndex().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> loss(torch.tensor([[5.0, 1.0], [5.0, 1.0]]), torch.tensor([0, 0])).item()
    0.0
    """

    name: ClassVar[str] = "ignore-index"
    title: ClassVar[str] = "the majority class is ignored in the loss"
    formula: ClassVar[str] = "CE(z, y) where y is not the majority class, else 0"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "loss"

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _CrossEntropyWithout(counts.majority.reshape(-1))


class _CrossEntropyWithout(CrossEntropy):
    majority: Tensor

    def __init__(self, majority: Tensor) -> None:
        super().__init__()
        self.register_buffer("majority", majority.unsqueeze(1))

    def ignored_mask(self, targets: Tensor) -> Tensor:
        return super().ignored_mask(targets) | (targets == self.majority)
