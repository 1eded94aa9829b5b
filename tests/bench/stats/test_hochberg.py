"""Hochberg's adjustment against statsmodels, and with comparisons that could not be made."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from bench.stats import hochberg


@pytest.mark.parametrize("m", [1, 2, 5, 10])
def test_adjusted_p_values_are_those_of_statsmodels(m):
    p = np.random.default_rng(m).beta(0.3, 2, (6, m))
    p[::3] = p[::3].round(1)  # ties, zeros and ones
    expected = [multipletests(family, method="simes-hochberg")[1] for family in p]
    np.testing.assert_allclose(hochberg(p), expected)


def test_a_comparison_that_was_not_made_counts_in_its_family():
    np.testing.assert_allclose(hochberg([0.01, np.nan, 0.02]), [0.03, np.nan, 0.04])


def test_where_each_is_below_alpha_all_are():
    assert (hochberg([0.049, 0.001, 0.048]) < 0.05).all()


def test_a_family_may_be_empty():
    assert hochberg([]).shape == (0,)
