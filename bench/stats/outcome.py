"""What the seeds allow to say of a difference: better, worse, equivalent, inconclusive, or too few seeds to say."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from bench.stats.power import ALPHA

Outcome = Literal["better", "worse", "equivalent", "inconclusive", "too few seeds"]
BETTER: Final = "better"
WORSE: Final = "worse"
EQUIVALENT: Final = "equivalent"
INCONCLUSIVE: Final = "inconclusive"
TOO_FEW_SEEDS: Final = "too few seeds"
OUTCOMES: tuple[Outcome, ...] = (BETTER, WORSE, EQUIVALENT, INCONCLUSIVE, TOO_FEW_SEEDS)
"""In the order of legends."""

FEWEST_SEEDS = 3
"""With fewer seeds nothing is said, however small a p value is: two differences do not show how much they vary."""

DEFAULT_MARGIN = 0.01
"""Differences below this do not matter, unless the user gives another margin; in the unit of the metric."""


def decide_outcome(
    gain: float, *, p: float, equivalence_p: float, interval: tuple[float, float], margin: float, n: int
) -> Outcome:
    """Return the outcome of n paired differences with mean `gain`, positive where they are for the better.

    `p` is of the test that there is a difference, `equivalence_p` of the two one-sided tests against `margin`, both adjusted
    for their family. A difference that is significant and within the margin is better or worse: its direction is known, and
    `is_within_margin` says that it is small.

    >>> decide_outcome(0.02, p=0.3, equivalence_p=0.8, interval=(-0.02, 0.06), margin=0.01, n=5)
    'inconclusive'
    >>> decide_outcome(0.002, p=0.3, equivalence_p=0.01, interval=(-0.002, 0.006), margin=0.01, n=5)
    'equivalent'
    """
    if n < FEWEST_SEEDS:
        return TOO_FEW_SEEDS
    if p < ALPHA:
        return BETTER if gain > 0 else WORSE
    if equivalence_p < ALPHA and is_within_margin(gain, interval, margin):
        return EQUIVALENT
    return INCONCLUSIVE


def is_within_margin(gain: float, interval: tuple[float, float], margin: float) -> bool:
    """Whether the interval lies within the margin; a difference of 0 at every seed, which has no interval, does too."""
    return gain == 0 if np.isnan(interval[0]) else -margin < interval[0] and interval[1] < margin
