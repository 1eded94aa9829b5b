"""Replace the class prior that training taught by another one, with an offset on each class's logit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from strategies.adjust.offsets import plus
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Adjustment, AdjustmentInputs, Strategy


@register
@dataclass(frozen=True)
class PostHocAdjustment(Strategy):
    """Subtract `tau log(prior)` from the logits of a trained model, as if classes were equally frequent.

    With tau 1, scores that are right for the training prior then minimise the balanced error. The prior is the one that
    training taught, after any sampling or weighting (see `Strategy.effective_prior`).

    Parameters
    ----------
    tau : float, default 1.0
        Multiplies the log prior, 0 or more; 0 changes nothing.

    References
    ----------
    Menon et al. (2021), "Long-tail learning via logit adjustment", ICLR.

    Examples
    --------
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.eye(2), torch.zeros(2)),
    ...     train_prior=torch.tensor([0.8, 0.2]),
    ...     target_prior=torch.tensor([0.5, 0.5]),
    ...     valid_logits=torch.zeros(0, 2),
    ...     valid_targets=torch.zeros(0, dtype=torch.int64),
    ... )
    >>> adjust = PostHocAdjustment().adjust(inputs)
    >>> adjust(torch.tensor([1.0, 0.0])).argmax().item()
    1
    """

    tau: float = 1.0
    name: ClassVar[str] = "post-hoc-adjustment"
    title: ClassVar[str] = "finished logits minus tau log(prior), which is optimal for the balanced error"
    formula: ClassVar[str] = "z_c - tau log(train_c)"
    paper: ClassVar[str] = "Menon et al. (2021), ICLR"
    folder: ClassVar[str] = "adjust"
    needs_prior: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.tau < 0:
            raise NotationError(f"post-hoc-adjustment: tau must be 0 or more; given: {self.tau}")

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        return plus(-self.tau * log_prior(self.name, inputs.train_prior))


@register
@dataclass(frozen=True)
class PriorCorrection(Strategy):
    """Multiply predicted probabilities by `target / train` of each class: Bayes' rule where only the class prior differs.

    A class whose target share is 0 gets the logit -inf: it is never predicted.

    Parameters
    ----------
    target : {"declared", "uniform"}, default "declared"
        The prior to correct to: that of the data to predict (`AdjustmentInputs.target_prior`), or equal classes, which is
        post-hoc-adjustment with tau 1.

    References
    ----------
    Saerens, Latinne & Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori probabilities", Neural
    Computation 14(1), for known priors.

    Examples
    --------
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.eye(2), torch.zeros(2)),
    ...     train_prior=torch.tensor([0.5, 0.5]),
    ...     target_prior=torch.tensor([0.8, 0.2]),
    ...     valid_logits=torch.zeros(0, 2),
    ...     valid_targets=torch.zeros(0, dtype=torch.int64),
    ... )
    >>> adjust = PriorCorrection().adjust(inputs)
    >>> adjust(torch.zeros(2)).softmax(-1)
    tensor([0.8000, 0.2000])
    """

    target: Literal["declared", "uniform"] = "declared"
    name: ClassVar[str] = "prior-correction"
    title: ClassVar[str] = "predicted probabilities are moved from the training prior to that of the data to predict"
    formula: ClassVar[str] = "z_c + log(target_c) - log(train_c)"
    paper: ClassVar[str] = "Saerens et al. (2002), Neural Computation"
    folder: ClassVar[str] = "adjust"
    needs_prior: ClassVar[bool] = True

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        target = inputs.target_prior
        if self.target == "uniform":
            target = torch.full_like(target, 1 / len(target))
        return plus(target.double().log() - log_prior(self.name, inputs.train_prior).to(target.device))


def log_prior(name: str, train_prior: Tensor | None) -> Tensor:
    """Return the log of the prior that training taught, float64.

    `name` is what a ValueError calls the strategy if the prior is undefined or not positive.
    """
    if train_prior is None or not bool((train_prior > 0).all()):
        given = (
            train_prior.tolist() if train_prior is not None else "None, because the trained strategy has no one prior"
        )
        raise ValueError(
            f"{name} needs the class prior that training taught, above 0 for every class; given: {given}. Leave out "
            "classes that do not occur, or use an adjustment that is tuned on validation data, such as thresholds."
        )
    return train_prior.double().log()
