"""Equivalence: its p values against statsmodels, its outcome at the edges, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from bench.stats import (
    BETTER,
    EQUIVALENT,
    INCONCLUSIVE,
    TOO_FEW_SEEDS,
    WORSE,
    Resplit,
    Split,
    compare,
    compare_pairs,
    hochberg,
    holm,
)

NONE = np.array([0.70, 0.72, 0.71, 0.69, 0.73])
SMALL = np.array([0.002, -0.003, 0.001, 0.003, -0.001])


def outcome(differences, *, margin=0.01, split: Split = "fixed", direction="up", others=0):
    """The outcome of a strategy with these differences to the baseline, in a family with others that are far away."""
    baseline = np.resize(NONE, len(differences))
    rows = {"none": baseline, "asked": baseline + differences}
    rows |= {f"far{i}": baseline - 0.3 + 0.01 * np.resize(SMALL, len(differences)) * i for i in range(1, others + 1)}
    table = pd.DataFrame.from_dict(rows, orient="index")
    primary = [name for name in rows if name != "none"]
    comparison = compare(table, baseline="none", primary=primary, split=split, margin=margin, direction=direction)
    return comparison.verdicts[0]


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("margin", [0.001, 0.01, 0.3])
def test_p_values_of_equivalence_are_those_of_statsmodels(n, margin):
    values, baseline = np.random.default_rng(n).normal(0.7, 0.02, (2, n))
    expected = ttost_paired(values, baseline, -margin, margin)[0]
    assert compare_pairs(values, baseline, split="fixed").equivalence_p(margin) == pytest.approx(expected)


@pytest.mark.parametrize("margin", [0.0, -0.1, np.nan])
def test_a_margin_is_above_0(margin):
    with pytest.raises(ValueError, match="above 0"):
        compare_pairs(NONE, NONE + SMALL, split="fixed").equivalence_p(margin)


def test_outcomes_follow_margin_and_interval():
    assert outcome(SMALL).outcome == EQUIVALENT
    assert outcome(SMALL, margin=0.002).outcome == INCONCLUSIVE
    assert outcome(SMALL, margin=0.006).outcome == EQUIVALENT
    assert outcome(SMALL, margin=0.006, split=Resplit(50, 50)).outcome == INCONCLUSIVE, (
        "the corrected interval is wider"
    )
    assert outcome(SMALL, margin=0.005).outcome == EQUIVALENT
    assert outcome(SMALL, margin=0.005, others=9).outcome == INCONCLUSIVE, "nine that are not equivalent make it harder"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_significant_difference_within_the_margin_is_better_or_worse_and_small(direction):
    tiny = outcome(0.003 + 0.1 * SMALL, direction=direction)
    assert tiny.outcome == (BETTER if direction == "up" else WORSE)
    assert tiny.is_within_margin
    assert not outcome(0.3 + SMALL).is_within_margin


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("difference", [0.0, 0.2, -0.2])
def test_fewer_than_three_seeds_say_nothing(n, difference):
    found = outcome(difference + 1e-6 * SMALL[:n])
    assert found.outcome == TOO_FEW_SEEDS
    assert "at least 3 are needed" in found.reason


@given(
    st.lists(st.floats(-0.05, 0.05), min_size=3, max_size=8),
    st.floats(0.001, 0.1),
    st.sampled_from(["fixed", Resplit(30, 70)]),
)
def test_every_equivalent_has_its_interval_within_the_margin_and_a_wider_margin_keeps_it(differences, margin, split):
    found, wider = (outcome(np.array(differences), margin=width, split=split) for width in (margin, 2 * margin))
    if found.outcome == EQUIVALENT:
        assert np.isnan(found.low) or -margin < found.low <= found.high < margin
        assert wider.outcome == EQUIVALENT


# How often it is wrong: vectorised over studies, with the functions that `compare` calls


def family_outcomes(gains, n, studies, *, split: Split, spread=0.01, margin=0.01, seed=0):
    """Which strategies of a family are better, worse and equivalent: three arrays (studies, family)."""
    rng = np.random.default_rng([seed, n])
    gains = np.asarray(gains)
    share = 0.0 if split == "fixed" else split.n_test / split.n_rest
    shift = rng.normal(0, spread * np.sqrt(2 * share), (studies, len(gains), 1))  # of the data that all splits share
    noise = rng.normal(0, spread, (studies, len(gains) + 1, n))
    found = compare_pairs(gains[:, None] + shift + noise[:, 1:], noise[:, :1], split=split)
    is_significant = holm(found.p) < 0.05
    is_equivalent = (hochberg(found.equivalence_p(margin)) < 0.05) & (found.low > -margin) & (found.high < margin)
    up = found.difference > 0
    return is_significant & up, is_significant & ~up, is_equivalent & ~is_significant


ERROR = 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)
DESIGNS = [pytest.param("fixed", id="fixed"), pytest.param(Resplit(20, 80), id="resplit")]


@pytest.mark.parametrize("split", DESIGNS)
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.0005, 0.003, 0.01])
@pytest.mark.parametrize("signs", [[1] * 10, [1, -1] * 5, [1, *[0] * 9]], ids=["all above", "both sides", "one of ten"])
def test_a_strategy_at_the_margin_is_called_equivalent_in_at_most_one_study_in_twenty(split, n, spread, signs):
    gains = 0.01 * np.array(signs)
    _, _, equivalent = family_outcomes(gains, n, 1000, split=split, spread=spread)
    assert equivalent[:, gains != 0].any(axis=1).mean() <= ERROR


@pytest.mark.parametrize("split", DESIGNS)
@pytest.mark.parametrize("n", [3, 5, 10])
def test_without_a_difference_better_or_worse_is_said_in_at_most_one_study_in_twenty(split, n):
    better, worse, _ = family_outcomes([0.0] * 10, n, 1000, split=split)
    assert (better | worse).any(axis=1).mean() <= ERROR


def test_without_a_difference_all_of_a_family_are_equivalent_in_most_studies_of_ten_seeds():
    _, _, equivalent = family_outcomes([0.0] * 10, 10, 1000, split="fixed", spread=0.003)
    assert equivalent.all(axis=1).mean() > 0.8
    _, _, equivalent = family_outcomes([0.0] * 10, 10, 1000, split="fixed", spread=0.03)
    assert equivalent.mean() < 0.05, "wide intervals are inconclusive"
