"""Decoupled training: learn features first, then only the last layer, or its scale, with balanced classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.registry import get, register
from strategies.schedule.two_phases import TwoPhases
from strategies.strategy import Phase


@register
@dataclass(frozen=True)
class ClassifierRetraining(TwoPhases):
    """Plain training up to `start`, then a newly initialised last layer alone, with class-balanced sampling (cRT).

    The authors' code retrains for 10 epochs after 90 and samples classes in turn; `start` 0.8 is our choice, that of
    deferred-resampling, so that both are comparable. No effective prior is declared, because the two phases teach different
    ones.

    Parameters
    ----------
    start : float, default 0.8
        Share of the steps after which the second phase begins, between 0 and 1.

    References
    ----------
    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR.

    Examples
    --------
    >>> [(phase.until, phase.trains, phase.reset_head) for phase in ClassifierRetraining(start=0.5).phases()]
    [(0.5, 'all', False), (1.0, 'head', True)]
    """

    name: ClassVar[str] = "classifier-retraining"
    aliases: ClassVar[tuple[str, ...]] = ("crt",)
    title: ClassVar[str] = "plain training, then a new last layer under class-balanced sampling"
    formula: ClassVar[str] = "features fixed from start on; min over new W, b of CE, P(c) = 1 / C"
    paper: ClassVar[str] = "Kang et al. (2020), ICLR"

    def second(self) -> Phase:
        return Phase(1.0, get("class-balanced-sampling"), trains="head", reset_head=True)


@register
@dataclass(frozen=True)
class LearnableWeightScaling(TwoPhases):
    """Plain training up to `start`, then only one scale per class, with class-balanced sampling (LWS).

    Logits become `s_c (w_c f + b_c)`; the paper scales the weights, its code the bias too, as is done here. The authors' code
    takes 5 epochs after 90 and samples classes in turn; `start` 0.8 is our choice. No effective prior is declared, because the
    two phases teach different ones.

    Parameters
    ----------
    start : float, default 0.8
        Share of the steps after which the second phase begins, between 0 and 1.

    References
    ----------
    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR.

    Examples
    --------
    >>> [(phase.until, phase.trains, phase.reset_head) for phase in LearnableWeightScaling(start=0.5).phases()]
    [(0.5, 'all', False), (1.0, 'scale', False)]
    """

    name: ClassVar[str] = "learnable-weight-scaling"
    aliases: ClassVar[tuple[str, ...]] = ("lws",)
    title: ClassVar[str] = "plain training, then a scale of each class's logit under class-balanced sampling"
    formula: ClassVar[str] = "z_c = s_c (w_c f + b_c); from start on only s is trained, P(c) = 1 / C"
    paper: ClassVar[str] = "Kang et al. (2020), ICLR"

    def second(self) -> Phase:
        return Phase(1.0, get("class-balanced-sampling"), trains="scale")
