"""Draw items with many labels by a mean of their labels' weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from strategies.draw.epochs import weighted_epochs
from strategies.labels import IGNORED, ClassCounts, Labels
from strategies.registry import register
from strategies.strategy import Inputs, Strategy


@register
@dataclass(frozen=True)
class SentenceWeights(Strategy):
    """An item is drawn in proportion to the geometric mean of its labels' weights `N / (C n_c)`, with replacement.

    Folklore, without a paper. `reduction="product"` takes that mean to the power of the item's positions, as
    multiplying the weights does; it favours short items, so it is refused where numbers of positions differ. Positions
    without a label (PAD) are skipped. Warns when the weights leave an effective sample size below 1% of the items.

    >>> labels = Labels.packed([[0, 1], [0, 1, 1, 1, 1, 1], [1]])
    >>> geometric_means(torch.tensor([0.1, 0.01]), labels).round(decimals=4).tolist()
    [0.0316, 0.0147, 0.01]
    """

    reduction: Literal["geometric-mean", "product"] = "geometric-mean"
    name: ClassVar[str] = "sentence-weights"
    title: ClassVar[str] = "items drawn by the geometric mean (or product) of their labels' weights"
    folder: ClassVar[str] = "sample"

    def declines(self, labels: Labels, inputs: Inputs) -> str | None:
        if labels.one_each:
            return "an item has one label: its weight is its class's (see weighted-random-sampler)"
        if self.reduction == "product" and labels.positions.min() != labels.positions.max():
            return "a product of weights compares only items with equally many positions; here their numbers differ"
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        log_weight = _log_geometric_means(counts.inverse(), labels)
        if self.reduction == "product":
            log_weight = log_weight * labels.positions
        # Scaled so that the largest is 1: the product of many weights over- and underflows, their ratios seldom do.
        return (log_weight - log_weight.max()).exp()

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        return weighted_epochs(self.item_weights(labels, counts), batch_size=batch_size, seed=seed)


def geometric_means(class_weights: Tensor, labels: Labels) -> Tensor:
    """The geometric mean of each item's label weights, `class_weights (C,)` -> `(N,)` float64; 0 for an item without a label."""
    return _log_geometric_means(class_weights, labels).exp()


def _log_geometric_means(class_weights: Tensor, labels: Labels) -> Tensor:
    # Sums of logarithms in float64: a product underflows over long items, differences of a float32 running sum lose everything.
    labelled = labels.values != IGNORED
    item = labels.item_of_position()[labelled]
    logarithms = class_weights.to(torch.float64).log()[labels.values[labelled]]
    count = torch.bincount(item, minlength=len(labels))
    sums = torch.zeros(len(labels), dtype=torch.float64).index_add_(0, item, logarithms)
    return torch.where(count > 0, sums / count, -torch.inf)
