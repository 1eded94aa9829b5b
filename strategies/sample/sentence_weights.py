"""Sample items with many labels by a mean of their labels' weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.draw.by_weight import ByWeight
from strategies.draw.epochs import drawn_epochs
from strategies.draw.sentence_weights import Reduction, sentence_weights, uneven
from strategies.draw.weights import warn_of_few
from strategies.labels import ClassCounts, Labels
from strategies.registry import register
from strategies.strategy import Inputs, Strategy


@register
@dataclass(frozen=True)
class SentenceWeights(Strategy):
    """Sample items in proportion to the geometric mean of their labels' weights `N / (C n_c)`, with replacement.

    Positions without a label (PAD) are skipped. A `StrategyWarning` is raised if the weights leave an effective sample size
    below 1% of the items. Folklore, without a paper.

    Parameters
    ----------
    reduction : {"geometric-mean", "product"}, default "geometric-mean"
        "product" takes the mean to the power of the item's number of positions, as multiplying the weights does. It favours
        short items, so it is not applicable where items have different numbers of positions.

    Examples
    --------
    >>> labels = Labels.packed([[0, 0, 0], [0, 1]])
    >>> SentenceWeights().item_weights(labels, labels.counts())
    tensor([0.5000, 1.0000], dtype=torch.float64)
    """

    reduction: Reduction = "geometric-mean"
    name: ClassVar[str] = "sentence-weights"
    version: ClassVar[int] = 2
    title: ClassVar[str] = "items are sampled by the geometric mean (or product) of their labels' weights"
    formula: ClassVar[str] = "P(i) ~ exp(mean over labels of log(N / (C n_y)))"
    paper: ClassVar[str] = "folklore"
    cost: ClassVar[str] = "sampling: 16 bytes per item"
    folder: ClassVar[str] = "sample"

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if labels.one_each:
            return "an item has one label, so its weight is that of its class (see class-balanced-sampling)"
        return uneven(labels) if self.reduction == "product" else None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return sentence_weights(labels, counts.inverse(), self.reduction)

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        weights = self.item_weights(labels, counts)
        warn_of_few(weights)
        return drawn_epochs(ByWeight(weights, draws=len(weights), seed=seed), batch_size=batch_size)
