"""How much predictions depend on the seed: the share of items whose predicted class changes from one seed to another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from bench.records.predictions import TrueClasses


def prediction_instability(by_seed: Sequence[tuple[TrueClasses, np.ndarray]]) -> float | None:
    """Return the share of test labels that two seeds predict differently, mean over all pairs of seeds.

    `by_seed` holds the test part and the predicted classes `(L,)` of each seed. Where each seed has a test part of its own, two
    are compared on the rows that both have. None where no pair has labels in common.

    >>> truth = TrueClasses.of(np.array([0, 0, 1, 1]), 2)
    >>> prediction_instability([(truth, np.array(classes)) for classes in ([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1])])
    0.1666...
    """
    shares = [
        share for first, second in combinations(by_seed, 2) if (share := _share_changed(*first, *second)) is not None
    ]
    return float(np.mean(shares)) if shares else None


def _share_changed(
    first: TrueClasses, first_classes: np.ndarray, second: TrueClasses, second_classes: np.ndarray
) -> float | None:
    if np.array_equal(first.items, second.items):
        if first.rows is None and not np.array_equal(first.classes, second.classes):
            return None  # other items in the same number
        return float(np.mean(first_classes != second_classes))
    if first.rows is None or second.rows is None:
        return None
    by_row = np.full(1 + max(int(first.rows.max()), int(second.rows.max())), -1, dtype=np.int32)
    by_row[first.rows] = first_classes
    by_first = by_row[second.rows]
    in_both = by_first >= 0
    return float(np.mean((by_first != second_classes)[in_both])) if in_both.any() else None
