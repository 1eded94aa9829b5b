"""How many labels of the positive class a ranking finds at each precision, for recall at a stated precision."""

from __future__ import annotations

import numpy as np


def count_found(scores: np.ndarray, positive: np.ndarray) -> list[int]:
    """Return the most positives that a threshold on `scores (L,)` finds at a precision of at least 1%, 2%, ..., 100%.

    `positive (L,)` says which labels are positive. Equal scores are found together, as in scikit-learn.

    >>> found = count_found(np.array([0.9, 0.8, 0.3, 0.3]), np.array([True, False, True, True]))
    >>> found[75 - 1], found[76 - 1], found[100 - 1]
    (3, 1, 1)
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)
    found, predicted = np.cumsum(positive[order])[ends], np.flatnonzero(ends) + 1
    most = np.zeros(101, dtype=np.int64)
    np.maximum.at(most, 100 * found // predicted, found)
    counts: list[int] = np.maximum.accumulate(most[::-1])[::-1][1:].tolist()
    return counts
