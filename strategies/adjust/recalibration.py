"""Recalibrate probabilities on validation data, for log loss: one temperature, or a scale and an offset for each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from strategies.adjust.validation_folds import cross_fit
from strategies.adjust.validation_weights import weigh_to_prior
from strategies.labels import IGNORED
from strategies.registry import register
from strategies.strategy import Adjustment, AdjustmentInputs, CrossFitted, Strategy

LOWEST = -100.0
"""Log probabilities below it count as it when parameters are fitted: a class that is ruled out would have no derivative."""
SMALLEST_SCALE = 0.01
"""Scales of logits stay above it, so that no class and no order of classes is turned round."""
STEPS, TOLERANCE = 50, 1e-10
"""Newton's method ends after so many steps, or where a step promises no more than this share of the loss."""

Fit = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""From validation logits `(L, C)`, targets `(L,)`, weights `(L,)` and parameters to start from to parameters `(K,)`."""


@register
@dataclass(frozen=True)
class TemperatureScaling(Strategy):
    """Divide all logits by one temperature, which minimises the log loss on validation data.

    It changes how sure predictions are, not which class they are: log loss and calibration error may improve, accuracy and F1
    stay as they are. Labels are weighted to the prior of the data to predict, where validation has another. The inverse
    temperature has a standard normal prior around 1, worth about one label, so that a handful of labels that are all right do
    not make every prediction certain.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML.

    Examples
    --------
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.eye(2), torch.zeros(2)),
    ...     train_prior=None,
    ...     target_prior=torch.tensor([0.5, 0.5]),
    ...     valid_logits=torch.tensor([[4.0, 0.0], [0.0, 4.0]] * 400),
    ...     valid_targets=torch.tensor([0, 1, 0, 1, 0, 1, 1, 0] * 100),
    ... )
    >>> TemperatureScaling().adjust(inputs)(torch.tensor([4.0, 0.0])).softmax(-1).round(decimals=2)
    tensor([0.7500, 0.2500], dtype=torch.float64)
    """

    name: ClassVar[str] = "temperature-scaling"
    title: ClassVar[str] = "all logits divided by one temperature, tuned on validation data for log loss"
    formula: ClassVar[str] = "z_c / T, T by Newton's method on validation log loss"
    paper: ClassVar[str] = "Guo et al. (2017), ICML"
    cost: ClassVar[str] = "after training: some dozen evaluations of the validation log loss"
    folder: ClassVar[str] = "adjust"

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        return _recalibrate(inputs, _fit_temperature, _divide)


@register
@dataclass(frozen=True)
class DirichletCalibration(Strategy):
    """Scale and shift each class's log probability, to minimise the log loss on validation data: vector scaling.

    Unlike one temperature it may change which class is predicted. Labels are weighted to the prior of the data to predict, where
    validation has another. Scales have a standard normal prior around 1 and offsets one around 0, worth about one label each,
    so a class with few validation labels hardly moves.

    References
    ----------
    Kull et al. (2019), "Beyond temperature scaling: obtaining well-calibrated multiclass probabilities with Dirichlet
    calibration", NeurIPS: here with a diagonal matrix.
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML: vector scaling, of logits.

    Examples
    --------
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.eye(2), torch.zeros(2)),
    ...     train_prior=None,
    ...     target_prior=torch.tensor([0.2, 0.8]),
    ...     valid_logits=torch.tensor([[1.0, 0.0]] * 1000),
    ...     valid_targets=torch.tensor([0, 1, 1, 1, 1] * 200),
    ... )
    >>> DirichletCalibration().adjust(inputs)(torch.tensor([1.0, 0.0])).softmax(-1).round(decimals=1)
    tensor([0.2000, 0.8000], dtype=torch.float64)
    """

    name: ClassVar[str] = "dirichlet-calibration"
    title: ClassVar[str] = (
        "a scale and an offset for each class's log probability, tuned on validation data for log loss"
    )
    formula: ClassVar[str] = "a_c log p_c + b_c, a and b by Newton's method on validation log loss"
    paper: ClassVar[str] = "Kull et al. (2019), NeurIPS; vector scaling of Guo et al. (2017), ICML"
    cost: ClassVar[str] = "after training: some dozen evaluations of the validation log loss"
    folder: ClassVar[str] = "adjust"

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        return _recalibrate(inputs, _fit_by_class, _scale_and_shift)


def _recalibrate(inputs: AdjustmentInputs, fit: Fit, apply: Callable[[Tensor], Adjustment]) -> CrossFitted:
    """Return what `apply` makes of the parameters that are fitted to the validation labels, cross-fitted for their own scores."""
    labelled = (inputs.valid_targets != IGNORED).nonzero().flatten()
    logits, targets = inputs.valid_logits[labelled].double(), inputs.valid_targets[labelled]
    weights = weigh_to_prior(targets.cpu(), inputs.target_prior.cpu()).to(targets.device)
    parameters = fit(logits, targets, weights, None)

    def fit_to(seen: Tensor) -> Adjustment:
        # The minimum is one and the same from any start, and near the one of all labels.
        return apply(fit(logits[seen], targets[seen], weights[seen], parameters))

    return cross_fit(inputs, labelled, apply(parameters), fit_to)


def _fit_temperature(logits: Tensor, targets: Tensor, weights: Tensor, start: Tensor | None) -> Tensor:
    """Return the inverse temperature `(1,)`."""
    x = logits.log_softmax(-1).clamp_min(LOWEST)
    right = x.gather(-1, targets.unsqueeze(-1)).squeeze(-1)

    def derivatives(scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scaled = scale * x
        p = scaled.softmax(-1)
        mean = (p * x).sum(-1)
        loss = (weights * (scaled.logsumexp(-1) - scale * right)).sum()
        slope = (weights * (mean - right)).sum()
        curvature = (weights * ((p * x.square()).sum(-1) - mean.square())).sum()
        return loss, slope.view(1), curvature.view(1, 1)

    return _minimise(derivatives, start, around=x.new_ones(1), lowest=x.new_tensor([SMALLEST_SCALE]))


def _divide(scale: Tensor) -> Adjustment:
    def adjusted(logits: Tensor) -> Tensor:
        # In 64 bits no two logits become equal that were not, so predictions stay.
        return logits.double() * scale.to(logits.device)

    return adjusted


def _fit_by_class(logits: Tensor, targets: Tensor, weights: Tensor, start: Tensor | None) -> Tensor:
    """Return the scales of all classes, then their offsets, `(2 C,)`."""
    C = logits.shape[-1]
    x = logits.log_softmax(-1).clamp_min(LOWEST)
    truth = torch.nn.functional.one_hot(targets, C).to(x.dtype)

    def derivatives(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z = parameters[:C] * x + parameters[C:]
        p = z.softmax(-1)
        loss = (weights * (z.logsumexp(-1) - (truth * z).sum(-1))).sum()
        excess = weights.unsqueeze(-1) * (p - truth)
        slope = torch.cat([(excess * x).sum(0), excess.sum(0)])
        # The probabilities' covariance, in the features (x, 1) of each class.
        features = torch.cat([p * x, p], dim=-1)
        weighted = weights.unsqueeze(-1) * features
        scales, both, offsets = (weighted[:, :C] * x).sum(0), weighted[:, :C].sum(0), weighted[:, C:].sum(0)
        diagonal = torch.cat([torch.cat([scales.diag(), both.diag()], 1), torch.cat([both.diag(), offsets.diag()], 1)])
        return loss, slope, diagonal - weighted.T @ features

    identity = torch.cat([x.new_ones(C), x.new_zeros(C)])
    lowest = torch.cat([x.new_full((C,), SMALLEST_SCALE), x.new_full((C,), -torch.inf)])
    return _minimise(derivatives, start, around=identity, lowest=lowest)


def _scale_and_shift(parameters: Tensor) -> Adjustment:
    C = len(parameters) // 2

    def adjusted(logits: Tensor) -> Tensor:
        on_device = parameters.to(logits.device)
        return on_device[:C] * logits.double().log_softmax(-1) + on_device[C:]

    return adjusted


def _minimise(
    derivatives: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]], start: Tensor | None, around: Tensor, lowest: Tensor
) -> Tensor:
    """Return the parameters `(K,)`, not below `lowest (K,)`, that minimise a convex loss with a standard normal prior.

    `derivatives(parameters)` returns the loss, its slopes `(K,)` and its curvature `(K, K)`; `around (K,)` is the prior's mean,
    where the search begins if no `start (K,)` is given.
    By Newton's method, each step halved until the loss falls; a parameter at its lowest value stays as long as it is pulled down.
    """

    def penalised(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        loss, slope, curvature = derivatives(parameters)
        away = parameters - around
        return loss + away.square().sum() / 2, slope + away, curvature + torch.eye(len(away), dtype=away.dtype)

    parameters = around if start is None else start
    loss, slope, curvature = penalised(parameters)
    for _ in range(STEPS):
        is_free = ~((parameters <= lowest) & (slope > 0))
        step = torch.zeros_like(parameters)
        step[is_free] = torch.linalg.solve(curvature[is_free][:, is_free], slope[is_free])
        if float(slope @ step) < TOLERANCE * (1 + float(loss)):
            break
        share = 1.0
        while share > TOLERANCE:
            tried = torch.maximum(parameters - share * step, lowest)
            tried_loss, tried_slope, tried_curvature = penalised(tried)
            if tried_loss < loss:
                break
            share /= 2
        else:
            break
        parameters, loss, slope, curvature = tried, tried_loss, tried_slope, tried_curvature
    return parameters
