"""How many seeds would decide an inconclusive comparison: by simulating how the study at hand may go on."""

from __future__ import annotations

import numpy as np
from scipy import stats

from bench.stats.outcome import FEWEST_SEEDS
from bench.stats.paired_difference import CONFIDENCE, Split, variance_factor
from bench.stats.power import ALPHA

MOST_SEEDS = 100
"""No more are suggested: a study that would need more is better served by more test data or a wider margin."""
_CHANCE = 0.85
"""The simulated chance of a decision: above the 80% that is promised, because a study that asks was undecided so far."""
_SURE, _SURE_OF_FEW, _FEW = 0.8, 0.9, 5
"""How sure it is that the true sd is at most the one that is assumed; surer of fewer than `_FEW` seeds, whose sd varies most."""
_CONTINUATIONS = 2000


def seeds_to_decide(
    difference: float, sd: float, n: int, *, margin: float, comparisons: int, split: Split
) -> int | None:
    """Return how many seeds, the n given ones included, decide with 80% probability: better, worse or equivalent.

    `difference` and `sd` are those of n paired differences, `comparisons` the size of their family: the tests are those of its
    first step, alpha / comparisons, the hardest one. The true sd is not known, so its upper 80% bound after n seeds (90% below
    five) is taken, and continuations of the study are simulated with true differences that are plausible after n seeds. The
    generator has a seed of its own, so equal arguments give equal numbers. None where more than `MOST_SEEDS` seeds would be
    needed, or there is no spread to judge by. Where seeds split the data anew, no number of seeds may be enough.

    >>> seeds_to_decide(0.0054, 0.0057, 5, margin=0.01, comparisons=1, split="fixed")
    10
    """
    if n < 2 or not sd > 0:
        return None
    rng = np.random.default_rng(0)
    later = np.arange(n + 1, MOST_SEEDS + 1)
    true_sd = sd * np.sqrt((n - 1) / stats.chi2.isf(_SURE_OF_FEW if n < _FEW else _SURE, n - 1))
    truth = difference + true_sd * rng.standard_normal((_CONTINUATIONS, 1)) / np.sqrt(n)
    added = truth + true_sd * rng.standard_normal((_CONTINUATIONS, len(later))) - difference
    mean = added.cumsum(axis=1) / later  # minus `difference`, for the sake of rounding
    variance = ((n - 1) * sd**2 + (added**2).cumsum(axis=1) - later * mean**2) / (later - 1)
    error = np.sqrt(variance * [variance_factor(int(total), split) for total in later])
    chance = _is_decided(difference + mean, error, later, margin, comparisons).mean(axis=0)
    enough = later[(chance >= _CHANCE) & (later >= FEWEST_SEEDS)]
    return int(enough[0]) if len(enough) else None


def _is_decided(mean: np.ndarray, error: np.ndarray, n: np.ndarray, margin: float, comparisons: int) -> np.ndarray:
    """Whether means of n differences are significant, or equivalent within the margin, at the first step of a family."""
    half_width = stats.t.isf(min((1 - CONFIDENCE) / 2, ALPHA / comparisons), n - 1) * error
    decided: np.ndarray = (np.abs(mean) > stats.t.isf(ALPHA / comparisons / 2, n - 1) * error) | (
        np.abs(mean) + half_width < margin
    )
    return decided
