"""The weight of an item with many labels, from the weights of its labels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from strategies.draw.streams import compiled_loops
from strategies.labels import IGNORED, Labels

Reduction = Literal["geometric-mean", "product"]


def geometric_means(class_weights: Tensor, labels: Labels) -> Tensor:
    """The geometric mean of each item's label weights, `class_weights (C,)` -> `(N,)` float64; 0 for an item without a label.

    >>> labels = Labels.packed([[0, 1], [0, 1, 1, 1, 1, 1], [1]])
    >>> geometric_means(torch.tensor([0.1, 0.01]), labels).round(decimals=4).tolist()
    [0.0316, 0.0147, 0.01]
    """
    return _log_geometric_means(class_weights, labels).exp_()


def sentence_weights(labels: Labels, class_weights: Tensor, reduction: Reduction = "geometric-mean") -> Tensor:
    """How much more often than others each item is drawn, `(N,)` float64, the largest 1.

    `"product"` takes the geometric mean to the power of the item's positions, as multiplying the weights does; a ValueError
    where their numbers differ, because it then prefers short items whatever their labels.

    >>> sentence_weights(Labels.packed([[0, 0], [1, 0]]), torch.tensor([1.0, 4.0]), "product").tolist()
    [0.25, 1.0]
    """
    log_weight = _log_geometric_means(class_weights, labels)
    if reduction == "product":
        if (reason := uneven(labels)) is not None:
            raise ValueError(f"{reason}; use reduction='geometric-mean'")
        log_weight.mul_(labels.positions)
    elif reduction != "geometric-mean":
        raise ValueError(f"reduction must be 'geometric-mean' or 'product'; given: {reduction!r}")
    # Scaled so that the largest is 1: the product of many weights over- and underflows, their ratios seldom do.
    return log_weight.sub_(log_weight.max()).exp_()


def uneven(labels: Labels) -> str | None:
    """Why a product of weights cannot compare these items, None if it can."""
    if labels.positions.min() == labels.positions.max():
        return None
    return "a product of weights compares only items with equally many positions; here their numbers differ"


def _log_geometric_means(class_weights: Tensor, labels: Labels) -> Tensor:
    # Sums of logarithms in float64: a product underflows over long items, differences of a float32 running sum lose everything.
    logarithms = class_weights.double().log()
    if (loops := compiled_loops()) is not None:
        means = torch.empty(len(labels), dtype=torch.float64)
        loops.segment_means(logarithms, labels.values, labels.offsets, means)
        return means
    return segment_means(logarithms, labels)


def segment_means(of_class: Tensor, labels: Labels) -> Tensor:
    """The mean of `of_class (C,)` over each item's labels, `(N,)` float64, in plain torch; -inf for an item without a label."""
    labelled = labels.values != IGNORED
    values = torch.where(labelled, of_class.index_select(0, labels.values.clamp_min(0)), 0)
    sums = torch.segment_reduce(values, "sum", offsets=labels.offsets)
    counts = torch.segment_reduce(labelled.double(), "sum", offsets=labels.offsets)
    return torch.where(counts > 0, sums / counts, -torch.inf)
