"""How much information a set of weights leaves."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from strategies.strategy_warning import StrategyWarning

MIN_SHARE = 0.01
"""Share of the items below which an effective sample size is warned about."""


def effective_sample_size(weights: Tensor) -> float:
    """Return how many equally weighted items carry as much information as these: Kish's `(sum w)^2 / sum w^2`.

    Parameters
    ----------
    weights
        One weight per item, `(N,)`: finite, not negative, not all 0.

    Returns
    -------
    float
        From 1, where one item has all the weight, to N, where all weights are equal.

    References
    ----------
    Kish (1965), "Survey Sampling", Wiley.

    Examples
    --------
    >>> effective_sample_size(torch.tensor([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    scaled = weights.to(torch.float64) / weights.max()
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def warn_if_few_items_dominate(weights: Tensor) -> None:
    """Emit a `StrategyWarning` if the effective sample size of `weights (N,)` is below 1% of the items."""
    size = effective_sample_size(weights)
    if size < MIN_SHARE * len(weights):
        warnings.warn(
            f"the weights leave an effective sample size of {size:,.1f} of {len(weights):,} items "
            f"({size / len(weights):.2%}): a few items are sampled again and again",
            StrategyWarning,
            stacklevel=4,
        )
