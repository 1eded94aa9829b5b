"""Folds of validation labels, to measure what tuning gains on labels that it did not see."""

from __future__ import annotations

import torch
from torch import Tensor

FOLDS = 5
"""Folds of validation on which it is measured what tuning gains."""


def assign_folds(targets: Tensor, folds: int) -> Tensor:
    """Return the fold of each label `(L,)`: the labels of each class `targets (L,)` in their order, cut into equal pieces.

    Labels that stand side by side, such as those of a sentence, are alike, so they are kept in one fold where possible.

    >>> assign_folds(torch.tensor([0, 1, 0, 0, 0, 1]), 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    order = targets.argsort(stable=True)
    counts = torch.bincount(targets)
    first = counts.cumsum(0) - counts
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(targets)) - first[targets[order]]
    return rank * folds // counts[targets]
