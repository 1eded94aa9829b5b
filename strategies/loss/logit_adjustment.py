"""Logit adjustment in the loss: add the log class prior to the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from strategies.class_mix import expected_mix, normalise
from strategies.labels import ClassCounts, Labels
from strategies.loss_function import CrossEntropy, Loss, LossContext, as_stack
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class LogitAdjustment(Strategy):
    """Cross-entropy of the logits plus `tau` times the log class prior; predictions use the raw logits.

    The loss is `CE(z + tau log pi, y)` with the class shares pi. With tau 1 the same loss was published separately as Balanced
    Softmax (Ren et al. 2020, NeurIPS) and PriorCE (Hong et al. 2021, CVPR). A class without items counts as one label, where
    the code of PriorCE adds 1e-9 to its share.

    Parameters
    ----------
    tau : float, default 1.0
        Multiplies the log prior, 0 or more; 0 is plain cross-entropy.

    References
    ----------
    Menon et al. (2021), "Long-tail learning via logit adjustment", ICLR.

    Examples
    --------
    >>> import torch
    >>> loss = LogitAdjustment().loss(ClassCounts.of([0, 0, 0, 1]))
    >>> round(loss(torch.zeros(1, 2), torch.tensor([1])).exp().item(), 4)  # as if p(y=1) were its share of the labels
    4.0
    """

    tau: float = 1.0
    name: ClassVar[str] = "logit-adjustment"
    aliases: ClassVar[tuple[str, ...]] = ("balanced-softmax", "prior-ce")
    title: ClassVar[str] = "the log class prior is added to the logits in the loss"
    formula: ClassVar[str] = "CE(z + tau log pi, y)"
    paper: ClassVar[str] = "Menon et al. (2021), ICLR"
    folder: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        if self.tau < 0:
            raise NotationError(f"{self.name}: tau must be 0 or more; given: {self.tau}")

    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return AdjustedCrossEntropy(self.tau * counts.log_prior())

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return normalise(expected_mix(labels) * (-self.tau * counts.log_prior()).exp())


class AdjustedCrossEntropy(CrossEntropy):
    """Cross-entropy of `logits / temperature + shift`; both are `(C,)`, or `(S, C)` for a stack."""

    shift: Tensor
    temperature: Tensor

    def __init__(self, shift: Tensor, temperature: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("shift", as_stack(shift).unsqueeze(1))
        self.register_buffer(
            "temperature", as_stack(torch.ones_like(shift) if temperature is None else temperature).unsqueeze(1)
        )

    def elementwise(self, logits: Tensor, targets: Tensor, context: LossContext) -> Tensor:
        return super().elementwise(logits / self.temperature + self.shift, targets, context)
