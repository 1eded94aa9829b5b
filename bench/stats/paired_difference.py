"""Differences to a baseline, paired by seed: mean, 95% interval, and p values of difference and equivalence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

CONFIDENCE = 0.95

_ROUNDING = 16 * np.finfo(np.float64).eps
"""Differences that vary by less than this, relative to the values they are taken from, count as constant."""


@dataclass(frozen=True)
class Resplit:
    """Each seed splits the same data anew: `n_test` items are in test, and `n_rest` are not.

    The test parts of two seeds overlap by the share `n_test / (n_test + n_rest)`, so their differences are correlated. `n_rest`
    is the `n_train` of Nadeau and Bengio, who train on all items outside test; validation items count in it too.
    """

    n_test: int
    n_rest: int

    def __post_init__(self) -> None:
        if min(self.n_test, self.n_rest) < 1:
            raise ValueError(f"a split leaves an item on either side; given: {self}")


Split: TypeAlias = Literal["fixed"] | Resplit
"""`"fixed"`: every seed trains and tests on the same items."""


def split_of(resplit: tuple[int, int] | None) -> Split:
    """Return the split of a task: `resplit` counts the items in and outside test, None where all seeds share one split."""
    return "fixed" if resplit is None else Resplit(*resplit)


@dataclass(frozen=True)
class PairedDifference:
    """Mean, sd and standard error of paired differences, 95% interval and two-sided p value: arrays (...), one per comparison.

    With one seed, sd, error, interval and p are NaN. Where the difference is the same at every seed, the sd is 0, and error and
    interval are NaN; p is then 1 if that difference is 0, else NaN: without spread nothing can be tested.
    """

    difference: np.ndarray
    sd: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    n: int

    def equivalence_p(self, margin: float) -> np.ndarray:
        """Return the p values (...) of two one-sided t tests that the difference lies outside the margin: Schuirmann (1987).

        `margin`, above 0, is in the unit of the difference. A difference of 0 at every seed has p 0, any other without spread
        NaN.

        >>> compare_pairs([0.72, 0.75, 0.71], [0.70, 0.71, 0.70], split="fixed").equivalence_p(0.1).round(3).item()
        0.006
        """
        if not margin > 0:
            raise ValueError(f"a margin is a number above 0; given: {margin}")
        p: np.ndarray = stats.t.sf((margin - np.abs(self.difference)) / self.error, self.n - 1)
        return np.where((self.sd == 0) & (self.difference == 0), 0.0, p)


def variance_factor(n: int, split: Split) -> float:
    """Return the variance of the mean of n paired differences, divided by the variance of one.

    It is 1 / n, or 1 / n + n_test / n_rest where seeds split the data anew: Nadeau and Bengio (2003), Machine Learning 52.

    >>> variance_factor(5, "fixed"), variance_factor(5, Resplit(n_test=20, n_rest=80))
    (0.2, 0.45)
    """
    return 1 / n + (0.0 if split == "fixed" else split.n_test / split.n_rest)


def compare_pairs(values: ArrayLike, baseline: ArrayLike, *, split: Split) -> PairedDifference:
    """Apply Student's t to `values (..., n)` minus `baseline (..., n)`, seed by seed, on n - 1 degrees of freedom.

    Raises a ValueError if there is no seed or a number is not finite.

    >>> result = compare_pairs([0.72, 0.75, 0.71], [0.70, 0.71, 0.70], split="fixed")
    >>> print(f"{result.difference:.3f} [{result.low:.3f}, {result.high:.3f}], p = {result.p:.3f}")
    0.023 [-0.015, 0.061], p = 0.118
    """
    ours, theirs = np.broadcast_arrays(np.asarray(values, np.float64), np.asarray(baseline, np.float64))
    if ours.ndim == 0 or ours.shape[-1] == 0 or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise ValueError(f"paired differences need one seed or more, and finite numbers; given: shape {ours.shape}")
    differences = ours - theirs
    n, mean = differences.shape[-1], differences.mean(axis=-1)
    if n == 1:
        unknown = np.full_like(mean, np.nan)
        return PairedDifference(mean, unknown, unknown, unknown, unknown, unknown, n)
    rounding = _ROUNDING * np.maximum(np.abs(ours), np.abs(theirs)).max(axis=-1)
    constant, zero = np.ptp(differences, axis=-1) <= rounding, np.abs(differences).max(axis=-1) <= rounding
    sd = np.where(constant, 0.0, differences.std(axis=-1, ddof=1))
    error = np.where(constant, np.nan, sd * np.sqrt(variance_factor(n, split)))
    width = stats.t.isf((1 - CONFIDENCE) / 2, n - 1) * error
    p = np.where(zero, 1.0, 2 * stats.t.sf(np.abs(mean) / error, n - 1))
    return PairedDifference(np.where(zero, 0.0, mean), sd, error, mean - width, mean + width, p, n)
