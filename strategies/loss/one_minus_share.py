"""Weight the loss of each label by the share of all other classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.labels import ClassCounts
from strategies.loss.loss import ClassWeights, Reduction
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class OneMinusShareWeights(Strategy):
    """Cross-entropy with class weights `softmax(1 - n_c / N)`: a class of a large share counts less, all rare ones alike.

    WeLT, Mobasher et al., for named entities. Their code passes `1 - n_c / N` through a softmax over the classes, so that
    no class counts more than e times another, and takes PyTorch's weighted mean; `softmax=False` leaves it out.

    >>> OneMinusShareWeights(softmax=False).loss(ClassCounts.of([0, 0, 0, 1])).class_weights
    tensor([[0.2500, 0.7500]])
    """

    softmax: bool = True
    reduction: Reduction = "weighted-mean"
    name: ClassVar[str] = "one-minus-share-weights"
    title: ClassVar[str] = "class weights by 1 - n_c / N in the loss"
    formula: ClassVar[str] = "w_y CE(z, y), w = softmax(1 - n / N)"
    paper: ClassVar[str] = "Mobasher et al. (2023), BioNLP"
    folder: ClassVar[str] = "loss"
    aliases: ClassVar[tuple[str, ...]] = ("welt",)

    def class_weights(self, counts: ClassCounts) -> ClassWeights:
        weights = 1 - counts.prior()
        return ClassWeights(weights.softmax(-1) if self.softmax else weights, self.reduction)
