"""Class mixes: the share of each class among labels, mixes by a power of the counts, and what corrects a mix twice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from strategies.labels import Labels

FAVOURS_RARE = -0.1
"""A factor per class is a correction if its log slope over the class shares is at most this."""
REVERSED = -0.2
"""A class mix is reversed if its log slope over the natural class shares is at most this."""


def normalise(x: Tensor) -> Tensor:
    """Return `x (C,)` divided by its sum."""
    return x / x.sum()


def expected_mix(labels: Labels, item_weights: Tensor | None = None) -> Tensor:
    """Return the expected share of each class among the labels of sampled items, `(C,)` float64.

    Items are sampled in proportion to `item_weights (N,)`, or with equal probability if it is None. An item brings all of
    its labels.

    >>> expected_mix(Labels.packed([[0, 0, 0], [0, 1]]), torch.tensor([1.0, 3.0])).tolist()
    [0.6666666666666666, 0.3333333333333333]
    """
    labelled = labels.values >= 0
    weights = None if item_weights is None else item_weights.double()[labels.item_of_position()[labelled]]
    totals = torch.bincount(labels.values[labelled], weights=weights, minlength=labels.num_classes)
    return normalise(totals.double())


def power_shares(counts: Tensor, power: float) -> Tensor:
    """Return `n_c^power` of `counts (C,)` as float64, scaled so that the largest is 1; 0 for a class without items.

    The powers are taken of logarithms, so that a large count or power does not overflow.

    >>> power_shares(torch.tensor([4, 1, 0]), 0.5).tolist()
    [1.0, 0.5, 0.0]
    """
    if not isinstance(power, int | float) or not math.isfinite(power):
        raise ValueError(f"power must be a finite number, such as 0 (balanced) or 1 (natural); given: {power!r}")
    logarithms = torch.where(counts > 0, counts.double().log() * power, -torch.inf)
    return logarithms.sub_(logarithms.max()).exp_()


def log_slope(values: Tensor, shares: Tensor) -> float | None:
    """Return the least-squares slope of `log values (C,)` over `log shares (C,)`: p where values are `shares^p`.

    Classes where either is 0, or where the value is infinite, are left out. None if the shares that remain are equal, because
    there is no imbalance to measure the slope against.

    >>> round(log_slope(torch.tensor([0.9, 0.3]), torch.tensor([0.9, 0.1])), 6)  # 9^p = 3
    0.5
    """
    kept = (shares > 0) & (values > 0) & values.isfinite()
    x, y = shares[kept].double().log(), values[kept].double().log()
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    return float(x @ y) / spread if spread > 1e-12 else None


def favours_rare(factors: Tensor, natural: Tensor) -> bool:
    """Whether `factors (C,)`, by which shares or losses of the classes are multiplied, raise rare classes over frequent ones.

    `natural (C,)` are the class shares of the data. The log slope must be at most -0.1; a smaller effect is no correction.
    """
    slope = log_slope(factors, natural)
    return slope is not None and slope <= FAVOURS_RARE


def corrects_twice(natural: Tensor, corrections: Sequence[Tensor]) -> bool:
    """Whether several corrections of the class mix, multiplied, make rare classes count more than frequent ones.

    This is the only rule for "double correction": combinations of remedies and the audit of a loader both use it. It holds if
    at least two corrections favour rare classes each (log slope at most -0.1), and the mix that is left after all of them
    is reversed (log slope at most -0.2; 0 is balanced, 1 is natural). The second limit is not nearer to 0 because an audit
    measures the mix from a sample: two halves of one remedy, for example square-root sampling with square-root class weights,
    balance the classes exactly, and sampling noise must not turn that into an alarm. Between the limits the effect is small:
    a class that is 100 times rarer counts at most 2.5 times as much.

    Parameters
    ----------
    natural : Tensor
        `(C,)` class shares of the data before any correction.
    corrections : sequence of Tensor
        `(C,)` each, up to scale: what a sampler multiplies the class shares by, or a loss the weight of a label.

    Examples
    --------
    >>> natural = torch.tensor([0.9, 0.1])
    >>> corrects_twice(natural, [1 / natural, 1 / natural]), corrects_twice(natural, [natural**-0.5, natural**-0.5])
    (True, False)
    """
    mix = natural.double()
    for factors in corrections:
        mix = mix * torch.nan_to_num(factors.double(), nan=0.0, posinf=0.0)
    kept = (natural > 0) & (mix > 0)
    favouring = [factors for factors in corrections if favours_rare(factors[kept], natural[kept])]
    slope = log_slope(mix[kept], natural[kept])
    return len(favouring) > 1 and slope is not None and slope <= REVERSED
