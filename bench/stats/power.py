"""Power: how large a true difference must be for a number of seeds to find it, which a "not significant" leaves open."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from bench.stats.paired_difference import Split, variance_factor

ALPHA = 0.05
"""Level of a whole family of comparisons, two-sided."""
POWER = 0.8


def minimum_detectable_effect(sd: ArrayLike, n: int, *, comparisons: ArrayLike, split: Split) -> np.ndarray:
    """Return the true difference that n seeds find with 80% power at Holm's first step, alpha / comparisons.

    `sd (...)` is that of paired differences, `comparisons` the size of their family, one for all or one for each; the result
    has the shape of `sd`. NaN where the sd is 0 or NaN, and for one seed, where there is no spread to judge by. Computed by the
    non-central t distribution; the chance of a verdict of the wrong sign, about 1e-6 at most, is left out.

    >>> print(minimum_detectable_effect(1.0, 5, comparisons=9, split="fixed").round(2))
    3.07
    """
    spread = np.asarray(sd, dtype=np.float64)
    if n < 2:
        return np.full_like(spread, np.nan)
    threshold = stats.t.isf(ALPHA / np.asarray(comparisons) / 2, n - 1)
    noncentrality = special.nctdtrinc(n - 1, 1 - POWER, threshold)
    return np.where(spread > 0, noncentrality * np.sqrt(variance_factor(n, split)) * spread, np.nan)


def spread_factors(n: int) -> tuple[float, float]:
    """Return the factors that turn the sd of n values into a 90% interval of the true sd, by the chi-square distribution.

    >>> print("{:.2f} to {:.2f}".format(*spread_factors(5)))
    0.65 to 2.37
    """
    low, high = np.sqrt((n - 1) / stats.chi2.isf([0.05, 0.95], n - 1))
    return float(low), float(high)
