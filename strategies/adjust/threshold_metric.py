"""What adjustments are tuned for on validation data."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Objective = Literal["macro-f1", "balanced-accuracy", "worst-class-recall"]


def measured(objective: Objective, targets: Tensor, predicted: Tensor, classes: int) -> float:
    """The objective of `predicted (L,)` beside `targets (L,)`."""
    if objective == "macro-f1":
        return macro_f1(targets, predicted, classes)
    found = recalls(targets, predicted, classes)
    occurring = found[~found.isnan()]
    return float(occurring.mean() if objective == "balanced-accuracy" else occurring.min())


def macro_f1(targets: Tensor, predicted: Tensor, classes: int) -> float:
    """Mean F1 over all classes, 0 for one that neither occurs nor is predicted: `targets (L,)`, `predicted (L,)`.

    >>> round(macro_f1(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 2), 3)
    0.733
    """
    found, actual, right = (
        torch.bincount(each, minlength=classes).double() for each in (predicted, targets, targets[predicted == targets])
    )
    return float((2 * right / (found + actual).clamp_min(1)).mean())


def recalls(targets: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """The recall of each class `(C,)` float64, NaN of one that does not occur: `targets (L,)`, `predicted (L,)`.

    >>> recalls(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 3).tolist()
    [1.0, 0.5, nan]
    """
    right = torch.bincount(targets[predicted == targets], minlength=classes)
    return right.double() / torch.bincount(targets, minlength=classes)
