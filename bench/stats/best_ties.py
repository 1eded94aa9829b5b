"""Which of several candidates are as good as the best one, as far as the seeds can tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bench.metrics.metric import Direction
from bench.stats.paired_difference import Split, compare_pairs


def ties_with_best(scores: ArrayLike, *, split: Split, direction: Direction = "up", margin: float) -> np.ndarray:
    """Return whether each of K candidates, `scores (K, n)` paired by seed, is as good as the one with the best mean, `(K,)` bool.

    The one-standard-error rule of Breiman, Friedman, Olshen and Stone (1984): as good is what lies within one standard error of
    the best, here that of the paired difference to it. The best of K equal candidates leads by luck, the more the larger K is;
    so the lead that is expected of K equals is added to the one standard error. What lies within `margin`, in the unit of the
    scores, is as good too; with one seed, which has no standard error, nothing else is.

    >>> scores = [[0.70, 0.72, 0.71], [0.71, 0.72, 0.70], [0.60, 0.64, 0.62]]
    >>> ties_with_best(scores, split="fixed", margin=0.01).tolist()
    [True, True, False]
    """
    values = np.asarray(scores, dtype=np.float64) * (1 if direction == "up" else -1)
    best = values[np.argmax(values.mean(axis=1))]
    gap = compare_pairs(best, values, split=split)
    errors = np.nan_to_num(gap.error)  # 0 where there is one seed, or the gap is the same at every seed
    ties: np.ndarray = gap.difference <= np.maximum(errors * (1 + lead_by_luck(len(values))), margin)
    return ties


def lead_by_luck(candidates: int) -> float:
    """Return by how many standard errors of a difference the best of equal candidates is expected to lead one of them.

    It is the expected largest of K standard normal numbers, by Blom (1958), over the square root of 2.

    >>> [round(lead_by_luck(candidates), 2) for candidates in (1, 2, 12)]
    [0.0, 0.42, 1.16]
    """
    return float(stats.norm.ppf((candidates - 0.375) / (candidates + 0.25)) / np.sqrt(2))
