"""How imbalanced class counts are: the imbalance ratio and the effective number of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Imbalance:
    """The size of a task, and how often each class occurs among the labels of its training part, `counts (C,)`.

    >>> imbalance = Imbalance(items=200, counts=(90, 9, 1))
    >>> imbalance.ratio, round(imbalance.effective_classes, 2)
    (90.0, 1.43)
    """

    items: int
    """Items of all parts."""
    counts: tuple[int, ...]

    @property
    def ratio(self) -> float:
        """Labels of the most frequent class for each one of the rarest class that training has."""
        return max(self.counts) / min(count for count in self.counts if count)

    @property
    def effective_classes(self) -> float:
        """The exponential of the entropy of the class shares: the number of equally frequent classes that is as uncertain."""
        shares = np.array([count for count in self.counts if count]) / sum(self.counts)
        return float(np.exp(-(shares * np.log(shares)).sum()))
