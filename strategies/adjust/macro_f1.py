"""What adjustments are tuned for on validation data."""

from __future__ import annotations

import torch
from torch import Tensor


def macro_f1(targets: Tensor, predicted: Tensor, classes: int) -> float:
    """Mean F1 over all classes, 0 for one that neither occurs nor is predicted: `targets (L,)`, `predicted (L,)`.

    >>> round(macro_f1(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 2), 3)
    0.733
    """
    found, actual, right = (
        torch.bincount(each, minlength=classes).double() for each in (predicted, targets, targets[predicted == targets])
    )
    return float((2 * right / (found + actual).clamp_min(1)).mean())
