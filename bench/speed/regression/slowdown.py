"""The test for a slowdown: whether ratios have become larger than a baseline's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

P, FACTOR = 0.002, 1.15
"""A sampler is slower only if the p value is below the first and the factor above the second."""


@dataclass(frozen=True)
class SpeedComparison:
    """One sampler's time relative to the reference loop, now and in the baseline, and the p value of their difference."""

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


def compare_ratios(sampler: str, now: Sequence[Sequence[float]], before: Sequence[Sequence[float]]) -> SpeedComparison:
    """Compare ratios, given as one sequence of rounds per process, by a one-sided Mann-Whitney test of all rounds.

    >>> compare_ratios("a sampler", [[1.5, 1.6, 1.7] * 5] * 3, [[1.0, 1.1, 1.2] * 5] * 3).slower
    True
    """
    from scipy.stats import mannwhitneyu

    p = float(mannwhitneyu(list(chain(*now)), list(chain(*before)), alternative="greater").pvalue)
    return SpeedComparison(sampler, lowest_median(now), lowest_median(before), p)


def lowest_median(processes: Sequence[Sequence[float]]) -> float:
    """Return the lowest of the processes' medians.

    Other programs seldom disturb all processes, whereas a sampler that has become slower is slower in all of them.
    """
    return min(map(median, processes))
