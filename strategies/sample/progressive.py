"""Progressive sampling: from the natural class mix to the balanced one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.class_mix import normalise, power_shares
from strategies.draw.epochs import drawn_epochs
from strategies.labels import ClassCounts, Labels
from strategies.registry import register
from strategies.samplers import ClassBalancedSampler
from strategies.strategy import Inputs, Strategy


@register
@dataclass(frozen=True)
class ProgressiveSampling(Strategy):
    """Sample classes in their natural mix at first and equally often at the end, with replacement.

    The shares are p(t) = (1 - t/T) n_c/N + (t/T) / C. The paper changes them once per epoch; here t counts draws, and T those
    of all `steps`. The effective prior is the average over training, half of each mix.

    References
    ----------
    Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR.

    Examples
    --------
    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> stream = ProgressiveSampling().index_stream(labels, labels.counts(), batch_size=1000, steps=10, seed=0)
    >>> shares = [(labels.values[next(stream)] == 1).double().mean() for _ in range(10)]
    >>> [bool(abs(shares[at] - expected) < 0.05) for at, expected in ((0, 0.12), (9, 0.48))]
    [True, True]
    """

    name: ClassVar[str] = "progressive-sampling"
    title: ClassVar[str] = "from the natural class mix at the start to equal shares at the end"
    formula: ClassVar[str] = "p_c(t) = (1 - t/T) n_c / N + (t/T) / C"
    paper: ClassVar[str] = "Kang et al. (2020), ICLR"
    cost: ClassVar[str] = "sampling: two draws per item"
    folder: ClassVar[str] = "sample"

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if not labels.one_each:
            return (
                "an item has many labels, so it belongs to no one class (see sentence-weights, repeat-factor-sampling)"
            )
        return None

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        sampler = ClassBalancedSampler(labels, progressive=steps * batch_size, seed=seed)
        return drawn_epochs(sampler.draws, batch_size=batch_size)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor:
        own = labels.counts()
        return (own.prior() + normalise(power_shares(own.values, 0.0))) / 2
