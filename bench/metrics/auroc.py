"""How well a class's probability puts its own labels before the others: area under the ROC curve, average precision."""

from __future__ import annotations

import numpy as np


def ranking(scores: np.ndarray, positive: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Area under the ROC curve and average precision of `scores (L,)`; None where all labels are `positive (L,)`, or none is.

    Equal scores are taken together, as scikit-learn takes them: half a pair each for the area, one cut for the precision.
    Sorting twice takes a tenth of its time.

    >>> ranking(np.array([0.9, 0.8, 0.3, 0.3]), np.array([True, False, True, False]))
    (0.625, 0.75)
    """
    hits = np.sort(scores[positive])
    if not 0 < len(hits) < len(scores):
        return None, None
    everything = np.sort(scores)
    below, hits_below = (np.searchsorted(each, hits) for each in (everything, hits))
    up_to, hits_up_to = (np.searchsorted(each, hits, "right") for each in (everything, hits))
    others_before = (below - hits_below + up_to - hits_up_to) / 2  # of equal scores, half
    precision = (len(hits) - hits_below) / (len(scores) - below)
    return float(others_before.mean() / (len(scores) - len(hits))), float(precision.mean())
