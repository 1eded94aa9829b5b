"""Folds of validation labels, to measure what tuning gains on labels that it did not see."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from strategies.strategy import Adjustment, AdjustmentInputs, CrossFitted

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


def cross_fit(
    inputs: AdjustmentInputs, labelled: Tensor, adjustment: Adjustment, fit: Callable[[Tensor], Adjustment]
) -> CrossFitted:
    """Return an adjustment with the validation logits as they are scored: each fold adjusted by a fit to the other folds.

    `labelled (K,)` are the rows of the validation labels, to all of which `adjustment` was fitted; `fit(seen (K,) bool)` returns
    the adjustment that is fitted to some of them.
    """
    targets = inputs.valid_targets[labelled]
    fold = assign_folds(targets.cpu(), FOLDS).to(targets.device)
    held_out = adjustment(inputs.valid_logits)
    for left_out in fold.unique().tolist():
        rows = labelled[fold == left_out]
        held_out[rows] = fit(fold != left_out)(inputs.valid_logits[rows])
    return CrossFitted(adjustment, held_out)
