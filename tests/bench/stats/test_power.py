"""The minimum detectable effect against statsmodels' power of the t test, and against counted verdicts."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from bench.stats import Resplit, compare_pairs, minimum_detectable_effect


def test_known_values():
    assert minimum_detectable_effect(1.0, 5, comparisons=9, split="fixed").round(1) == 3.1
    assert minimum_detectable_effect(1.0, 10, comparisons=9, split="fixed").round(1) == 1.5


@pytest.mark.parametrize("n", [3, 5, 10, 20])
@pytest.mark.parametrize("comparisons", [1, 9])
def test_its_power_is_80_percent_by_statsmodels(n, comparisons):
    effect = float(minimum_detectable_effect(1.0, n, comparisons=comparisons, split="fixed"))
    power = TTestPower().power(effect, n, 0.05 / comparisons / 2, alternative="larger")
    assert power == pytest.approx(0.8, abs=1e-5)


def test_it_grows_with_the_spread_and_is_nan_without_spread():
    one, two, none, unknown = minimum_detectable_effect([1, 2, 0, np.nan], 5, comparisons=1, split="fixed")
    assert two == pytest.approx(2 * one)
    assert np.isnan([none, unknown]).all()
    assert np.isnan(minimum_detectable_effect([0.1], 1, comparisons=1, split="fixed")).all()


def test_with_correlated_seeds_it_is_found_by_the_corrected_test_in_80_of_100_studies():
    """Differences whose means vary as Nadeau and Bengio say: spread within a study, and a shift that all its seeds share."""
    n, split, studies = 10, Resplit(n_test=20, n_rest=80), 4000
    truth = float(minimum_detectable_effect(1.0, n, comparisons=1, split=split))
    rng = np.random.default_rng(3)
    shift = rng.normal(0, np.sqrt(20 / 80), (studies, 1))
    found = compare_pairs(truth + shift + rng.normal(0, 1, (studies, n)), 0.0, split=split)
    assert abs((found.p < 0.05).mean() - 0.8) < 0.03
    assert abs(stats.norm.sf(0) - (found.difference > truth).mean()) < 0.03
