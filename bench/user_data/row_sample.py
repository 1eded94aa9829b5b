"""A sample of a table's rows in which each class keeps its share."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEWEST = 20
"""Rows that a class keeps at least, if it has as many: with fewer, nothing is measured on it."""


def sample_by_class(labels: pd.Series, count: int) -> NDArray[np.bool_]:
    """Return which rows are in a sample of about `count` rows; the same rows each time.

    Each class keeps its share of the rows, and at least `FEWEST` of its own. Rows without a label are in no sample.

    >>> labels = pd.Series(["ok"] * 900 + ["fraud"] * 100)
    >>> labels[sample_by_class(labels, 300)].value_counts().to_dict()
    {'ok': 270, 'fraud': 30}
    """
    classes, names = pd.factorize(labels)
    counts = np.bincount(classes[classes >= 0], minlength=len(names))
    share = min(1.0, count / counts.sum())
    wanted = np.minimum(counts, np.maximum(FEWEST, np.round(share * counts))).astype(np.int64)
    rng = np.random.default_rng(0)
    chosen = np.zeros(len(labels), bool)
    for class_id, size in enumerate(wanted):
        chosen[rng.choice(np.flatnonzero(classes == class_id), size, replace=False, shuffle=False)] = True
    return chosen
