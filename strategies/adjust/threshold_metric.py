"""Metrics that adjustments can be tuned for on validation data, as scikit-learn defines them, with a weight per label."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

import torch
from torch import Tensor

ThresholdMetric = Literal["macro-f1", "balanced-accuracy", "worst-class-recall"]

_UNMOVED = re.compile(
    r"(roc.?)?auc|au(roc|prc?)|average.precision|log.?loss|neg.log.loss|nll|brier|ece|recall.at.precision"
)
"""Metrics of probabilities or of the order of items, which do not depend on what is predicted; also as others spell them."""


def check_threshold_metric(metric: Any) -> None:
    """Raise a ValueError, which says why, if `metric` is none that thresholds can be tuned for."""
    if metric in get_args(ThresholdMetric):
        return
    reason = ""
    if isinstance(metric, str) and _UNMOVED.search(metric.lower()):
        reason = (
            f" No threshold moves {metric}, which depends on probabilities or their order, not on what is predicted"
        )
    raise ValueError(
        f"thresholds are tuned for 'macro-f1', 'balanced-accuracy' or 'worst-class-recall'; given: {metric!r}.{reason}"
    )


def score_predictions(
    metric: ThresholdMetric, targets: Tensor, predicted: Tensor, classes: int, weights: Tensor | None = None
) -> float:
    """Return the metric of predictions: `targets (L,)`, `predicted (L,)`, class ids below `classes`, `weights (L,)` above 0."""
    if metric == "macro-f1":
        return macro_f1(targets, predicted, classes, weights)
    by_class = recalls(targets, predicted, classes, weights)
    occurring = by_class[~by_class.isnan()]
    return float(occurring.mean() if metric == "balanced-accuracy" else occurring.min())


def macro_f1(targets: Tensor, predicted: Tensor, classes: int, weights: Tensor | None = None) -> float:
    """Return the mean F1 over the classes that occur in `targets (L,)` or `predicted (L,)`, each label with its weight, if any.

    >>> round(macro_f1(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 3), 3)
    0.733
    """
    weights = torch.ones(len(targets), dtype=torch.float64) if weights is None else weights
    actual, counted = (torch.bincount(ids, weights, minlength=classes) for ids in (targets, predicted))
    right = torch.bincount(targets, weights * (predicted == targets), minlength=classes)
    occurring = actual + counted > 0
    return float((2 * right / (counted + actual))[occurring].mean())


def recalls(targets: Tensor, predicted: Tensor, classes: int, weights: Tensor | None = None) -> Tensor:
    """Return the recall of each class, `(C,)` float64, NaN for a class that does not occur: `targets (L,)`, `predicted (L,)`.

    >>> recalls(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 3).tolist()
    [1.0, 0.5, nan]
    """
    weights = torch.ones(len(targets), dtype=torch.float64) if weights is None else weights
    right = torch.bincount(targets, weights * (predicted == targets), minlength=classes)
    return right / torch.bincount(targets, weights, minlength=classes)
