"""Which strategies are worth their cost: no other measures at least as well for no more."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def pareto_front(measure: ArrayLike, cost: ArrayLike) -> np.ndarray:
    """Which of the points `measure (N,)`, more is better, and `cost (N,)`, less is better, are on the front: bool (N,).

    A point is off it if another is better in one and no worse in the other, or if one of its numbers is NaN.

    >>> pareto_front([0.70, 0.75, 0.74], [1.0, 1.3, 1.5]).tolist()
    [True, True, False]
    """
    gain, price = np.asarray(measure, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    no_worse = (gain[:, None] >= gain) & (price[:, None] <= price)
    beats = no_worse & ((gain[:, None] > gain) | (price[:, None] < price))
    known = ~(np.isnan(gain) | np.isnan(price))
    return known & ~beats.any(axis=0)
