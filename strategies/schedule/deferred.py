"""Correct the imbalance late: features are learnt plainly, then classes are weighted or drawn alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.loss.loss import Reduction
from strategies.registry import get, register
from strategies.schedule.two_phases import TwoPhases
from strategies.strategy import Phase


@register
@dataclass(frozen=True)
class DeferredReweighting(TwoPhases):
    """Plain training up to `start`, then class weights by the effective number of samples (class-balanced-loss).

    Cao et al. (2019), NeurIPS (DRW): weights `(1 - beta) / (1 - beta^n_c)` from epoch 160 of 200, divided by the weights
    of the batch's targets. In a combination the other loss holds in both phases, as LDAM does in the paper. The learning
    rate is left to the training; the paper lowers it at the same epoch. No effective prior: it sees two.

    >>> [str(phase.strategy) for phase in DeferredReweighting().phases()][0]
    'none'
    """

    beta: float = 0.9999
    reduction: Reduction = "weighted-mean"
    name: ClassVar[str] = "deferred-reweighting"
    aliases: ClassVar[tuple[str, ...]] = ("drw",)
    title: ClassVar[str] = "plain training, then class weights by the effective number of samples"
    formula: ClassVar[str] = "w = 1 up to start, then w_c ~ (1 - beta) / (1 - beta^n_c)"
    paper: ClassVar[str] = "Cao et al. (2019), NeurIPS"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.second()  # refuses a beta that makes no sense

    def second(self) -> Phase:
        return Phase(1.0, get("class-balanced-loss", beta=self.beta, reduction=self.reduction))


@register
@dataclass(frozen=True)
class DeferredResampling(TwoPhases):
    """Plain training up to `start`, then items are drawn with every class equally likely (class-balanced-sampling).

    Cao et al. (2019), NeurIPS (DRS), from epoch 160 of 200. The paper's own code never takes its sampler up, so its
    numbers are no check of this one. No effective prior: it sees two.

    >>> [phase.until for phase in DeferredResampling().phases()]
    [0.8, 1.0]
    """

    name: ClassVar[str] = "deferred-resampling"
    aliases: ClassVar[tuple[str, ...]] = ("drs",)
    title: ClassVar[str] = "plain training, then class-balanced sampling"
    formula: ClassVar[str] = "P(c) ~ n_c up to start, then P(c) = 1 / C"
    paper: ClassVar[str] = "Cao et al. (2019), NeurIPS"

    def second(self) -> Phase:
        return Phase(1.0, get("class-balanced-sampling"))
