"""Tau-normalisation: divide the last layer's weights by a power of their norms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from strategies.adjust.threshold_metric import macro_f1
from strategies.adjust.validation_folds import cross_fit
from strategies.adjust.validation_weights import weigh_to_prior
from strategies.labels import IGNORED
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Adjustment, AdjustmentInputs, Head, Strategy

TAUS = tuple(tenth / 10 for tenth in range(21))
"""Values that tau is chosen from."""


@register
@dataclass(frozen=True)
class TauNormalisation(Strategy):
    """Divide each class's weights in the last layer by their norm to the power tau; frequent classes have larger norms.

    The weights become `w_c / ||w_c||^tau`, computed on finished logits. A class of zero norm is not scaled.

    Parameters
    ----------
    tau : float, optional
        0 or more. If it is not given, it is chosen from 0, 0.1, ..., 2 by macro-F1 on validation data, weighted to the
        prior of the data to predict (in the paper by accuracy); the smallest of equally good values is taken.
    keep_bias : bool, default False
        Whether to keep the bias unscaled, as others do, instead of dropping it, as the authors' code does.

    References
    ----------
    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR.

    Examples
    --------
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.tensor([[4.0, 0.0], [0.0, 1.0]]), torch.zeros(2)),
    ...     train_prior=None,
    ...     target_prior=torch.tensor([0.5, 0.5]),
    ...     valid_logits=torch.zeros(0, 2),
    ...     valid_targets=torch.zeros(0, dtype=torch.int64),
    ... )
    >>> adjust = TauNormalisation(tau=1.0).adjust(inputs)
    >>> adjust(torch.tensor([2.0, 1.0]))
    tensor([0.5000, 1.0000])
    """

    tau: float | None = None
    keep_bias: bool = False
    name: ClassVar[str] = "tau-normalisation"
    aliases: ClassVar[tuple[str, ...]] = ("tau-normalization",)
    version: ClassVar[int] = 3
    title: ClassVar[str] = "each class's weights in the last layer are divided by a power of their norm"
    formula: ClassVar[str] = "(z_c - b_c) / ||w_c||^tau"
    paper: ClassVar[str] = "Kang et al. (2020), ICLR"
    cost: ClassVar[str] = "21 evaluations of the validation logits"
    folder: ClassVar[str] = "adjust"
    needs_head: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.tau is not None and self.tau < 0:
            raise NotationError(f"tau-normalisation: tau must be 0 or more, or none to tune it; given: {self.tau}")

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        head = inputs.head
        if self.tau is not None:
            return self._adjustment(head, self.tau)
        labelled = (inputs.valid_targets != IGNORED).nonzero().flatten()
        logits, targets = inputs.valid_logits[labelled], inputs.valid_targets[labelled]
        weights = weigh_to_prior(targets.cpu(), inputs.target_prior.cpu()).to(targets.device)
        predicted = {tau: self._adjustment(head, tau)(logits).argmax(-1) for tau in TAUS}

        def best_tau(seen: Tensor) -> float:
            return max(
                TAUS, key=lambda tau: macro_f1(targets[seen], predicted[tau][seen], len(head.bias), weights[seen])
            )

        adjustment = self._adjustment(head, best_tau(torch.ones_like(targets, dtype=torch.bool)))
        return cross_fit(inputs, labelled, adjustment, lambda seen: self._adjustment(head, best_tau(seen)))

    def _adjustment(self, head: Head, tau: float) -> Adjustment:
        norm = head.weight.double().norm(dim=1)
        divisor = torch.where(norm > 0, norm, 1.0) ** tau

        def adjusted(logits: Tensor) -> Tensor:
            wide = torch.promote_types(logits.dtype, torch.float32)
            bias, scale = head.bias.to(logits.device, wide), divisor.to(logits.device, wide)
            scaled = (logits.to(wide) - bias) / scale
            return scaled + bias if self.keep_bias else scaled

        return adjusted
