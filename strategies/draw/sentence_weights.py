"""The weight of an item with many labels, from the weights of its labels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from strategies.draw.streams import compiled_loops
from strategies.labels import IGNORED, Labels

Reduction = Literal["geometric-mean", "product"]


def geometric_means(class_weights: Tensor, labels: Labels) -> Tensor:
    """Return the geometric mean of each item's label weights, `class_weights (C,)` -> `(N,)` float64.

    It is 0 for an item without a label.

    >>> labels = Labels.packed([[0, 1], [0, 1, 1, 1, 1, 1], [1]])
    >>> geometric_means(torch.tensor([0.1, 0.01]), labels).round(decimals=4).tolist()
    [0.0316, 0.0147, 0.01]
    """
    return _log_geometric_means(class_weights, labels).exp_()


def sentence_weights(labels: Labels, class_weights: Tensor, reduction: Reduction = "geometric-mean") -> Tensor:
    """Return the sampling weight of every item, `(N,)` float64, scaled so that the largest is 1.

    Parameters
    ----------
    labels
        The labels of N items.
    class_weights
        One weight per class, `(C,)`.
    reduction
        "geometric-mean" of the weights of an item's labels, or their "product": the geometric mean to the power of the
        number of positions of the item.

    Raises
    ------
    ValueError
        If `reduction` is "product" and items have different numbers of positions: a product then prefers short items,
        whatever their labels.

    Examples
    --------
    >>> sentence_weights(Labels.packed([[0, 0], [1, 0]]), torch.tensor([1.0, 4.0]), "product").tolist()
    [0.25, 1.0]
    """
    log_weights = _log_geometric_means(class_weights, labels)
    if reduction == "product":
        if (reason := why_not_comparable(labels)) is not None:
            raise ValueError(f"{reason}; use reduction='geometric-mean'")
        log_weights.mul_(labels.positions)
    elif reduction != "geometric-mean":
        raise ValueError(f"reduction must be 'geometric-mean' or 'product'; given: {reduction!r}")
    # Scaled before the exponential: a product of many weights over- or underflows, ratios of products seldom do.
    return log_weights.sub_(log_weights.max()).exp_()


def why_not_comparable(labels: Labels) -> str | None:
    """Return why a product of weights cannot compare these items, None if it can."""
    if labels.positions.min() == labels.positions.max():
        return None
    return "a product of weights compares only items with equally many positions; here their numbers differ"


def _log_geometric_means(class_weights: Tensor, labels: Labels) -> Tensor:
    # Sums of logarithms in float64: a product underflows over long items, and differences of a running sum in float32
    # lose all their digits.
    logarithms = class_weights.double().log()
    if (loops := compiled_loops()) is not None:
        means = torch.empty(len(labels), dtype=torch.float64)
        loops.segment_means(logarithms, labels.values, labels.offsets, means)
        return means
    return segment_means(logarithms, labels)


def segment_means(class_values: Tensor, labels: Labels) -> Tensor:
    """Return the mean of `class_values (C,)` over each item's labels, `(N,)` float64, in plain PyTorch.

    It is -inf for an item without a label.
    """
    labelled = labels.values != IGNORED
    values = torch.where(labelled, class_values.index_select(0, labels.values.clamp_min(0)), 0)
    sums = torch.segment_reduce(values, "sum", offsets=labels.offsets)
    counts = torch.segment_reduce(labelled.double(), "sum", offsets=labels.offsets)
    return torch.where(counts > 0, sums / counts, -torch.inf)
