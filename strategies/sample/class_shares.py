"""Sample a class by its share, then an item of it: class-balanced, square-root, reverse and effective-number sampling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.class_mix import normalise, power_shares
from strategies.draw.by_class import ByClass
from strategies.draw.epochs import drawn_epochs
from strategies.draw.weights import warn_of_few
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Inputs, Strategy


@dataclass(frozen=True)
class ClassShares(Strategy):
    """Sampling with replacement in a class mix that `class_shares` computes from the counts of the pool.

    If another remedy has resampled the rows, the pool is the result. A `StrategyWarning` is raised if the weights leave an
    effective sample size below 1% of the items.
    """

    paper: ClassVar[str] = "Kang et al. (2020), ICLR"
    cost: ClassVar[str] = "sampling: 4 bytes per item"
    folder: ClassVar[str] = "sample"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        """Return how often each class is sampled, up to a factor, `(C,)` float64; 0 for a class that does not occur."""
        raise NotImplementedError

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if not labels.one_each:
            return (
                "an item has many labels, so it belongs to no one class (see sentence-weights, repeat-factor-sampling)"
            )
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        own = labels.counts()
        return labels.look_up(self.class_shares(own) / own.values.clamp_min(1))

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self.check_applicable(labels)
        own = labels.counts()
        warn_of_few(self.item_weights(labels, own))
        draws = ByClass(labels.values, own.values, self.class_shares(own), draws=len(labels), seed=seed)
        return drawn_epochs(draws, batch_size=batch_size)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return normalise(self.class_shares(labels.counts()))


@register
@dataclass(frozen=True)
class ClassBalancedSampling(ClassShares):
    """Sample every class equally often, and the items of a class with equal probability, with replacement.

    The shares are p_c = 1 / C over the classes that occur. The distribution is that of `weighted-random-sampler`, from a
    faster stream without its limit of 2^24 items; but that one weights by the counts before any resampling, and this one by
    those of the rows that it samples from.

    References
    ----------
    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR.

    Examples
    --------
    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> ClassBalancedSampling().effective_prior(labels, labels.counts()).tolist()
    [0.5, 0.5]
    """

    name: ClassVar[str] = "class-balanced-sampling"
    title: ClassVar[str] = "every class is sampled equally often"
    formula: ClassVar[str] = "p_c = 1 / C"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return power_shares(counts.values, 0.0)


@register
@dataclass(frozen=True)
class SquareRootSampling(ClassShares):
    """Sample classes in proportion to a power of their size, by default the square root, with replacement.

    The shares are p_c ~ n_c^power; the items of a class are sampled with equal probability.

    Parameters
    ----------
    power : float, default 0.5
        1 is the natural mix, 0 is `class-balanced-sampling`.

    References
    ----------
    Mahajan et al. (2018), "Exploring the limits of weakly supervised pretraining", ECCV, as Kang et al. (2020) describe it.

    Examples
    --------
    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> SquareRootSampling().effective_prior(labels, labels.counts()).round(decimals=4).tolist()
    [0.75, 0.25]
    """

    power: float = 0.5
    name: ClassVar[str] = "square-root-sampling"
    title: ClassVar[str] = "classes are sampled in proportion to n_c^power, by default the square root"
    formula: ClassVar[str] = "p_c ~ n_c^power"
    paper: ClassVar[str] = "Mahajan et al. (2018), ECCV"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return power_shares(counts.values, self.power)


@register
@dataclass(frozen=True)
class ReverseSampling(ClassShares):
    """Sample classes in proportion to one over their size, with replacement: the rarer a class, the more often.

    The shares are p_c ~ n_max / n_c, as in the sampler of the paper's second branch, here used alone. It reverses the class
    mix, so a model needs its prior corrected afterwards.

    References
    ----------
    Zhou et al. (2020), "BBN: bilateral-branch network with cumulative learning for long-tailed visual recognition", CVPR.

    Examples
    --------
    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> ReverseSampling().effective_prior(labels, labels.counts()).round(decimals=4).tolist()
    [0.1, 0.9]
    """

    name: ClassVar[str] = "reverse-sampling"
    title: ClassVar[str] = "classes are sampled in proportion to one over their size"
    formula: ClassVar[str] = "p_c ~ n_max / n_c"
    paper: ClassVar[str] = "Zhou et al. (2020), CVPR"

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return power_shares(counts.values, -1.0)


@register
@dataclass(frozen=True)
class EffectiveNumberSampling(ClassShares):
    """Sample items in proportion to one over the effective number of items of their class, with replacement.

    The shares are p_c ~ n_c (1 - beta) / (1 - beta^n_c), as in the sampler of Cao et al. (2019, NeurIPS). For classes much
    smaller than 1 / (1 - beta) this is nearly `class-balanced-sampling`.

    Parameters
    ----------
    beta : float, default 0.9999
        From 0 to below 1; 0 is the natural mix.

    References
    ----------
    Cui et al. (2019), "Class-balanced loss based on effective number of samples", CVPR.

    Examples
    --------
    >>> labels = Labels.of([0] * 3 + [1])
    >>> EffectiveNumberSampling(beta=0.5).effective_prior(labels, labels.counts()).round(decimals=4).tolist()
    [0.6316, 0.3684]
    """

    beta: float = 0.9999
    name: ClassVar[str] = "effective-number-sampling"
    title: ClassVar[str] = "items are sampled in proportion to one over the effective number of items of their class"
    formula: ClassVar[str] = "p_c ~ n_c (1 - beta) / (1 - beta^n_c)"
    paper: ClassVar[str] = "Cui et al. (2019), CVPR"

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise NotationError(f"effective-number-sampling: beta must be from 0 to below 1; given: {self.beta}")

    def class_shares(self, counts: ClassCounts) -> Tensor:
        return counts.values * counts.effective_number(self.beta)
