"""Majority-or-Minority (MoM): mix the loss of the majority class into the loss of all classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Generator, Tensor

from strategies.labels import IGNORED, ClassCounts
from strategies.loss_function import CrossEntropy, Loss
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class MajorityOrMinority(Strategy):
    """The loss over all targets, mixed with that of the majority class alone (O in named-entity tagging).

    The second term keeps predictions of rare classes from spreading over items of the majority class. The paper adds the two
    losses under one trade-off lambda. That they are mixed convexly is from memory; `share=0.5`, and that each mean is over its
    own targets, are our choices; all three are unverified. A batch without the majority class has no second term.

    Parameters
    ----------
    share : float, default 0.5
        Weight of the loss over all targets, above 0 and up to 1; 1 is plain cross-entropy.

    References
    ----------
    Nemoto et al. (2024), "Majority or Minority: Data Imbalance Learning Method for Named Entity Recognition", IEEE Access.

    Examples
    --------
    >>> import torch
    >>> loss = MajorityOrMinority().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> loss(torch.tensor([[0.0, 0.0], [0.0, 40.0]]), torch.tensor([0, 1]))  # half of log(2) / 2, half of log(2)
    tensor(0.5199)
    """

    share: float = 0.5
    name: ClassVar[str] = "majority-or-minority"
    title: ClassVar[str] = "the loss of the majority class alone is mixed into the loss of all"
    formula: ClassVar[str] = "share CE(all) + (1 - share) CE(majority class)"
    paper: ClassVar[str] = "Nemoto et al. (2024), IEEE Access"
    folder: ClassVar[str] = "loss"
    aliases: ClassVar[tuple[str, ...]] = ("mom",)

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise NotationError(f"{self.name}: share must be above 0 and up to 1; given: {self.share}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return _WithMajority(self.share, counts.majority.reshape(-1, 1))


class _WithMajority(CrossEntropy):
    majority: Tensor

    def __init__(self, share: float, majority: Tensor) -> None:
        super().__init__()
        self.share = share
        self.register_buffer("majority", majority)

    def per_run(self, logits: Tensor, targets: Tensor, **known: Any) -> Tensor:
        of_majority = super().per_run(logits, targets.masked_fill(targets != self.majority, IGNORED), **known)
        return self.share * super().per_run(logits, targets, **known) + (1 - self.share) * of_majority
