"""The Pareto front: the strategies that no other strategy beats in both metric and cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def pareto_front(metric: ArrayLike, low: ArrayLike, high: ArrayLike) -> np.ndarray:
    """Return which of the points `metric (N,)`, more is better, with costs from `low (N,)` to `high (N,)` are on the front.

    Costs whose ranges overlap count as equal. A point is off the front if another is better in one respect and no worse in the
    other, or if one of its numbers is NaN. The result is bool (N,).

    >>> pareto_front([0.70, 0.75, 0.74], [1.0, 1.2, 1.4], [1.1, 1.3, 1.5]).tolist()
    [True, True, False]
    >>> pareto_front([0.70, 0.75], [0.9, 1.0], [1.1, 1.3]).tolist()
    [False, True]
    """
    gain, least, most = (np.asarray(values, dtype=np.float64) for values in (metric, low, high))
    no_worse = (gain[:, None] >= gain) & ~(least[:, None] > most)
    beats = no_worse & ((gain[:, None] > gain) | (most[:, None] < least))
    known = ~(np.isnan(gain) | np.isnan(least) | np.isnan(most))
    front: np.ndarray = known & ~(beats & known[:, None]).any(axis=0)
    return front
