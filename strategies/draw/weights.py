"""How much information a set of weights leaves."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

FEW = 0.01
"""Share of the items below which an effective sample size is warned of."""


class StrategyWarning(UserWarning):
    """A remedy did something other than its name promises, or something a reader should not miss."""


def effective_sample_size(weights: Tensor) -> float:
    """How many equally weighted items carry as much information as these: Kish's `(sum w)^2 / sum w^2` for `weights (N,)`.

    >>> effective_sample_size(torch.tensor([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    scaled = weights.to(torch.float64) / weights.max()
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def warn_of_few(weights: Tensor) -> None:
    """Warns where the weights leave an effective sample size below 1% of the items."""
    size = effective_sample_size(weights)
    if size < FEW * len(weights):
        warnings.warn(
            f"the weights leave an effective sample size of {size:,.1f} of {len(weights):,} items "
            f"({size / len(weights):.2%}): a few items are drawn again and again",
            StrategyWarning,
            stacklevel=4,
        )
