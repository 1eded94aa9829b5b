"""Draw a class by its share, then an item of it alike: class-balanced, square-root, reverse and effective-number sampling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.class_mix import normalise, power_shares
from strategies.draw.by_class import ByClass
from strategies.draw.epochs import stream_epochs
from strategies.draw.weights import warn_if_few_items_dominate
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Inputs, Strategy


@dataclass(frozen=True)
class ClassShares(Strategy):
    """Draws with replacement whose class mix is declared by `class_shares`, of the labels that are drawn from.

    Those are the pool's where another remedy has changed the rows. Warns as `weighted-random-sampler` does.
    """

    paper: ClassVar[str] = "Kang et al. (2020), ICLR"
    cost: ClassVar[str] = "drawing: 4 bytes an item"
    folder: ClassVar[str] = "sample"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        """How often each class is drawn, up to a factor, `(C,)` float64; 0 for a class that does not occur."""
        raise NotImplementedError

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if not labels.single_label:
            return "an item has many labels: no one class to draw it for (see sentence-weights, repeat-factor-sampling)"
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        own = labels.counts()
        return labels.per_position(self.class_shares(own) / own.values.clamp_min(1))

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self.check_applicable(labels)
        own = labels.counts()
        warn_if_few_items_dominate(self.item_weights(labels, own))
        stream = ByClass(labels.values, own.values, self.class_shares(own), num_samples=len(labels), seed=seed)
        return stream_epochs(stream, batch_size=batch_size)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return normalise(self.class_shares(labels.counts()))


@register
@dataclass(frozen=True)
class ClassBalancedSampling(ClassShares):
    """Every class is drawn equally often, and its items alike, with replacement.

    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR: p_c = 1 / C, over
    the classes that occur. The law of `weighted-random-sampler`, on a faster stream without its bound of 2^24
    items; but that one weights by the counts before any resampling, and this one by those of the rows it draws from.

    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> ClassBalancedSampling().effective_prior(labels, labels.counts()).tolist()
    [0.5, 0.5]
    """

    name: ClassVar[str] = "class-balanced-sampling"
    title: ClassVar[str] = "every class is drawn equally often"
    formula: ClassVar[str] = "p_c = 1 / C"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return power_shares(counts.values, 0.0)


@register
@dataclass(frozen=True)
class SquareRootSampling(ClassShares):
    """A class is drawn in proportion to a power of its size, the square root by default; its items alike, with replacement.

    Mahajan et al. (2018), "Exploring the limits of weakly supervised pretraining", ECCV, as Kang et al. (2020) give it:
    p_c ~ n_c^power. 1 is the natural mix, 0 `class-balanced-sampling`.

    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> SquareRootSampling().effective_prior(labels, labels.counts()).round(decimals=4).tolist()
    [0.75, 0.25]
    """

    power: float = 0.5
    name: ClassVar[str] = "square-root-sampling"
    title: ClassVar[str] = "classes are drawn in proportion to n_c^power, the square root by default"
    formula: ClassVar[str] = "p_c ~ n_c^power"
    paper: ClassVar[str] = "Mahajan et al. (2018), ECCV"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return power_shares(counts.values, self.power)


@register
@dataclass(frozen=True)
class ReverseSampling(ClassShares):
    """The rarer a class, the more often it is drawn: in proportion to one over its size; its items alike, with replacement.

    The sampler of the second branch of Zhou et al. (2020), "BBN: bilateral-branch network", CVPR, used alone:
    p_c ~ n_max / n_c. It turns the class mix round, so a model needs its prior corrected afterwards.

    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> ReverseSampling().effective_prior(labels, labels.counts()).round(decimals=4).tolist()
    [0.1, 0.9]
    """

    name: ClassVar[str] = "reverse-sampling"
    title: ClassVar[str] = "classes are drawn in proportion to one over their size"
    formula: ClassVar[str] = "p_c ~ n_max / n_c"
    paper: ClassVar[str] = "Zhou et al. (2020), CVPR"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return power_shares(counts.values, -1.0)


@register
@dataclass(frozen=True)
class EffectiveNumberSampling(ClassShares):
    """An item is drawn in proportion to one over the effective number of items of its class, with replacement.

    Cui et al. (2019), "Class-balanced loss based on effective number of samples", CVPR, as the sampler of Cao et al.
    (2019, NeurIPS): p_c ~ n_c (1 - beta) / (1 - beta^n_c). For classes much smaller than 1 / (1 - beta) that is nearly
    `class-balanced-sampling`; beta 0 is the natural mix.

    >>> labels = Labels.of([0] * 3 + [1])
    >>> EffectiveNumberSampling(beta=0.5).effective_prior(labels, labels.counts()).round(decimals=4).tolist()
    [0.6316, 0.3684]
    """

    beta: float = 0.9999
    name: ClassVar[str] = "effective-number-sampling"
    title: ClassVar[str] = "items are drawn by one over the effective number of items of their class"
    formula: ClassVar[str] = "p_c ~ n_c (1 - beta) / (1 - beta^n_c)"
    paper: ClassVar[str] = "Cui et al. (2019), CVPR"

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise NotationError(f"effective-number-sampling: beta must be in [0, 1); given: {self.beta}")

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return counts.values * counts.effective_number(self.beta)
