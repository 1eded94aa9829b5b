"""Metrics that adjustments can be tuned for on validation data."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

ThresholdMetric = Literal["macro-f1", "balanced-accuracy", "worst-class-recall"]


def score_predictions(metric: ThresholdMetric, targets: Tensor, predicted: Tensor, classes: int) -> float:
    """Return the metric of predictions: `targets (L,)`, `predicted (L,)`, class ids below `classes`."""
    if metric == "macro-f1":
        return macro_f1(targets, predicted, classes)
    by_class = recalls(targets, predicted, classes)
    occurring = by_class[~by_class.isnan()]
    return float(occurring.mean() if metric == "balanced-accuracy" else occurring.min())


def macro_f1(targets: Tensor, predicted: Tensor, classes: int) -> float:
    """Return the mean F1 over all classes, 0 for a class that neither occurs nor is predicted: `targets (L,)`, `predicted (L,)`.

    >>> round(macro_f1(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 2), 3)
    0.733
    """
    hits = targets[predicted == targets]
    counted, actual, right = (torch.bincount(ids, minlength=classes).double() for ids in (predicted, targets, hits))
    return float((2 * right / (counted + actual).clamp_min(1)).mean())


def recalls(targets: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Return the recall of each class, `(C,)` float64, NaN for a class that does not occur: `targets (L,)`, `predicted (L,)`.

    >>> recalls(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 3).tolist()
    [1.0, 0.5, nan]
    """
    right = torch.bincount(targets[predicted == targets], minlength=classes)
    return right.double() / torch.bincount(targets, minlength=classes)
