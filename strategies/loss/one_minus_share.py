"""Class weights by the share of all other classes (WeLT)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.labels import ClassCounts
from strategies.loss_function import ClassWeights, Reduction
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class OneMinusShareWeights(Strategy):
    """Cross-entropy with class weights `softmax(1 - n_c / N)`: a frequent class counts less, and all rare classes about the same.

    As in the authors' code, `1 - n_c / N` goes through a softmax over the classes, so that no class counts more than e times
    another.

    Parameters
    ----------
    softmax : bool, default True
        Whether to apply the softmax.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        What the weighted loss is divided by (see `ClassWeights`); the authors' code takes PyTorch's weighted mean.

    References
    ----------
    Mobasher et al. (2023), "WeLT: Improving Biomedical Fine-tuned Pre-trained Language Models with Cost-sensitive Learning",
    BioNLP.

    Examples
    --------
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
