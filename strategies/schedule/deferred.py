"""Deferred correction: plain training first, then class weights or class-balanced sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.loss_function import Reduction
from strategies.registry import get, register
from strategies.schedule.two_phases import TwoPhases
from strategies.strategy import Phase


@register
@dataclass(frozen=True)
class DeferredReweighting(TwoPhases):
    """Plain training up to `start`, then class weights by the effective number of samples (DRW).

    The weights are those of class-balanced-loss, `(1 - beta) / (1 - beta^n_c)`; the paper uses them from epoch 160 of 200. In
    a combination, the other loss is in force in both phases, as LDAM is in the paper. The learning rate is left to the
    protocol; the paper lowers it at the same epoch. No effective prior is declared, because the two phases teach different
    ones.

    Parameters
    ----------
    start : float, default 0.8
        Share of the steps after which the second phase begins, between 0 and 1.
    beta : float, default 0.9999
        Of the class weights, from 0 to below 1.
    reduction : {"weighted-mean", "mean"}, default "weighted-mean"
        What the weighted loss is divided by (see `ClassWeights`).

    References
    ----------
    Cao et al. (2019), "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS.

    Examples
    --------
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
        self.second()  # raises if beta is out of range

    def second(self) -> Phase:
        return Phase(1.0, get("class-balanced-loss", beta=self.beta, reduction=self.reduction))


@register
@dataclass(frozen=True)
class DeferredResampling(TwoPhases):
    """Plain training up to `start`, then class-balanced sampling (DRS), from epoch 160 of 200 in the paper.

    The paper's own code never uses its sampler, so its numbers cannot check this implementation. No effective prior is
    declared, because the two phases teach different ones.

    Parameters
    ----------
    start : float, default 0.8
        Share of the steps after which the second phase begins, between 0 and 1.

    References
    ----------
    Cao et al. (2019), "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS.

    Examples
    --------
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
