"""How much predictions depend on the seed: the share of items whose predicted class changes from one seed to another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from bench.records.predictions import TrueClasses


def prediction_instability(by_seed: Sequence[tuple[TrueClasses, np.ndarray]], *, resplit: bool) -> float | None:
    """Return the share of test labels that two seeds predict differently, mean over all pairs of seeds.

    `by_seed` holds the test part and the predicted classes `(L,)` of each seed. With `resplit`, each seed has a test part of its
    own, and two are compared on the rows that both have. None where no pair has labels that are known to be the same.

    >>> truth = TrueClasses.of(np.array([0, 0, 1, 1]), 2)
    >>> by_seed = [(truth, np.array(classes)) for classes in ([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1])]
    >>> prediction_instability(by_seed, resplit=False)
    0.1666...
    """
    compare = _share_of_shared_rows if resplit else _share_of_all
    shares = [compare(*first, *second) for first, second in combinations(by_seed, 2)]
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None


def _share_of_all(
    first: TrueClasses, first_classes: np.ndarray, second: TrueClasses, second_classes: np.ndarray
) -> float | None:
    is_same = np.array_equal(first.items, second.items) and np.array_equal(first.classes, second.classes)
    return float(np.mean(first_classes != second_classes)) if is_same else None


def _share_of_shared_rows(
    first: TrueClasses, first_classes: np.ndarray, second: TrueClasses, second_classes: np.ndarray
) -> float | None:
    if first.rows is None or second.rows is None:
        return None  # equal true classes do not make equal items: test parts that are balanced by design all look alike
    by_row = np.full(1 + max(int(first.rows.max()), int(second.rows.max())), -1, dtype=np.int32)
    by_row[first.rows] = first_classes
    by_first = by_row[second.rows]
    in_both = by_first >= 0
    return float(np.mean((by_first != second_classes)[in_both])) if in_both.any() else None
