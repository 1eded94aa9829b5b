"""Hochberg's adjustment of the p values of one family: like Holm's, but all are below alpha where every one is by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def hochberg(p: ArrayLike) -> np.ndarray:
    """Return Hochberg's step-up adjusted p values of families `p (..., m)`.

    The chance of any false rejection is at most alpha for tests that are independent or positively dependent, as comparisons
    with one baseline are. A comparison that could not be made (NaN) stays NaN and counts in its family as p = 1.
    Hochberg (1988), Biometrika 75; Sarkar (1998), Annals of Statistics 26.

    >>> hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    given = np.asarray(p, dtype=np.float64)
    filled = np.where(np.isnan(given), 1.0, given)
    order = np.argsort(-filled, axis=-1)  # the largest first
    factors = np.arange(1, given.shape[-1] + 1)
    stepped = np.minimum.accumulate(np.take_along_axis(filled, order, -1) * factors, axis=-1)
    adjusted = np.empty_like(given)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), -1)
    return np.where(np.isnan(given), np.nan, adjusted)
