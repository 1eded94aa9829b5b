"""Whether ratios have become larger than a baseline's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

P, FACTOR = 0.002, 1.15
"""A sampler is slower only if chance explains the difference with a probability below the one, and it exceeds the other."""


@dataclass(frozen=True)
class Comparison:
    """One sampler now and before: its time over the floor's in the least disturbed process, and how likely chance is."""

    sampler: str
    now: float
    before: float
    p: float

    @property
    def factor(self) -> float:
        return self.now / self.before

    @property
    def slower(self) -> bool:
        return self.p < P and self.factor > FACTOR


def compare(sampler: str, now: Sequence[Sequence[float]], before: Sequence[Sequence[float]]) -> Comparison:
    """The one-sided Mann-Whitney test of all rounds, and the factor between the medians.

    >>> compare("a sampler", [[1.5, 1.6, 1.7] * 5] * 3, [[1.0, 1.1, 1.2] * 5] * 3).slower
    True
    """
    from scipy.stats import mannwhitneyu

    rounds = list(chain(*now)), list(chain(*before))
    p = float(mannwhitneyu(*rounds, alternative="greater").pvalue)
    return Comparison(sampler, typical(now), typical(before), p)


def typical(processes: Sequence[Sequence[float]]) -> float:
    """The lowest of the processes' medians: what disturbs one seldom disturbs all, and what has become slower is so in all."""
    return min(map(median, processes))
