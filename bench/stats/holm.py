"""Holm's adjustment of the p values of one family: the chance of any false verdict among them is at most alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def holm(p: ArrayLike) -> np.ndarray:
    """Return Holm's step-down adjusted p values of families `p (..., m)`.

    A comparison that could not be made (NaN) stays NaN and counts in its family, so that it makes no other verdict easier.
    Holm (1979), Scandinavian Journal of Statistics 6.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, axis=-1)  # NaN last
    factors = np.arange(given.shape[-1], 0, -1)
    stepped = np.maximum.accumulate(np.take_along_axis(given, order, -1) * factors, axis=-1)
    adjusted = np.empty_like(given)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), -1)
    return adjusted
