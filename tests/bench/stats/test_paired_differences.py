"""Paired differences against scipy, at the edges, and by how often their intervals hold the truth."""

import numpy as np
import pytest
from scipy import stats

from bench.stats import Resplit, compare_pairs


def rng(seed):
    return np.random.default_rng([seed, 7])


@pytest.mark.parametrize("n", [2, 3, 5, 10, 20])
def test_on_a_fixed_split_it_is_scipys_paired_t_test(n):
    values, baseline = rng(n).normal(0.7, 0.02, (2, 6, n))
    found = compare_pairs(values, baseline, split="fixed")
    expected = stats.ttest_rel(values, baseline, axis=-1)
    interval = expected.confidence_interval(0.95)
    assert found.n == n
    np.testing.assert_allclose(found.difference, (values - baseline).mean(axis=-1))
    np.testing.assert_allclose(found.sd, (values - baseline).std(axis=-1, ddof=1))
    np.testing.assert_allclose(found.p, expected.pvalue, rtol=1e-10)
    np.testing.assert_allclose([found.low, found.high], [interval.low, interval.high], rtol=1e-10)


def test_where_seeds_split_anew_the_variance_is_that_of_nadeau_and_bengio():
    ours, theirs = [0.81, 0.84, 0.79, 0.86], [0.80, 0.80, 0.79, 0.81]
    found = compare_pairs(ours, theirs, split=Resplit(n_test=30, n_rest=90))
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean = sum(differences) / 4
    variance = sum((each - mean) ** 2 for each in differences) / 3
    error = ((1 / 4 + 30 / 90) * variance) ** 0.5
    t = stats.t(df=3)
    assert found.p == pytest.approx(2 * t.sf(mean / error))
    assert (found.low, found.high) == pytest.approx((mean - t.ppf(0.975) * error, mean + t.ppf(0.975) * error))


def test_one_seed_has_a_difference_and_nothing_else():
    found = compare_pairs([[0.8], [0.7]], [0.6], split="fixed")
    np.testing.assert_allclose(found.difference, [0.2, 0.1])
    assert found.n == 1
    assert np.isnan([found.sd, found.low, found.high, found.p]).all()


def test_without_spread_nothing_is_tested_unless_there_is_no_difference_at_all():
    baseline = np.array([0.61, 0.72, 0.05])
    found = compare_pairs(np.stack([baseline + 0.1, baseline, baseline + 1e-17]), baseline, split="fixed")
    np.testing.assert_allclose(found.difference, [0.1, 0, 0])
    assert found.sd.tolist() == [0, 0, 0]
    assert np.isnan([found.low, found.high]).all()
    np.testing.assert_array_equal(found.p, [np.nan, 1, 1])


def test_a_small_but_real_spread_counts_as_spread():
    found = compare_pairs([0.7 + 1e-9, 0.7 + 2e-9, 0.7 + 3e-9], [0.7, 0.7, 0.7], split="fixed")
    assert found.low < found.difference < found.high
    assert 0.07 < found.p < 0.08  # t = 2 / (1 / sqrt 3) on two degrees of freedom


@pytest.mark.parametrize("values", [[0.5, np.nan], [0.5, np.inf], []])
def test_missing_values_are_refused(values):
    with pytest.raises(ValueError, match="finite"):
        compare_pairs(values, np.zeros(len(values)), split="fixed")


def test_a_split_without_items_on_one_side_is_refused():
    with pytest.raises(ValueError, match="either side"):
        Resplit(n_test=10, n_rest=0)


@pytest.mark.parametrize("n", [5, 10])
def test_intervals_hold_the_true_difference_in_95_of_100_studies(n):
    studies, truth = 4000, 0.03
    seeds = rng(n).normal(0.7, 0.05, (studies, n))  # hard and easy seeds, for both alike
    ours, theirs = seeds + rng(n + 1).normal(0, [[[0.02]], [[0.01]]], (2, studies, n))
    found = compare_pairs(ours + truth, theirs, split="fixed")
    covered = ((found.low <= truth) & (truth <= found.high)).mean()
    assert abs(covered - 0.95) < 0.02


# Re-splits of one finite data set


def accuracy(x, y, train, test):
    """Accuracy (S, J) on `test (S, J, b)` of the nearer of the two class means of `train (S, J, a)`."""
    set_ = np.arange(len(x))[:, None, None]
    seen, labels = x[set_, train], y[set_, train]
    means = [
        np.einsum("sjap,sja->sjp", seen, labels == c) / np.maximum((labels == c).sum(-1, keepdims=True), 1)
        for c in (0, 1)
    ]
    slope = means[1] - means[0]
    middle = ((means[1] + means[0]) * slope).sum(-1) / 2
    predicted = np.einsum("sjbp,sjp->sjb", x[set_, test], slope) > middle[..., None]
    return (predicted == y[set_, test]).mean(-1)


def resplit_accuracies(generator, sets, splits, *, items=100, train=80, test=20):
    """Of a rule on six features and of one on the first two: (2, sets, splits); each data set is split again and again."""
    y = generator.integers(0, 2, (sets, items))
    x = generator.normal(size=(sets, items, 6)) + (2 * y - 1)[..., None] * np.array([0.8, 0.5, *[0.15] * 4])
    order = generator.permuted(np.broadcast_to(np.arange(items), (sets, splits, items)), axis=-1)
    parts = order[..., :train], order[..., items - test :]
    return np.stack([accuracy(x, y, *parts), accuracy(x[..., :2], y, *parts)])


def covered(found, truth):
    return ((found.low <= truth) & (truth <= found.high)).mean()


@pytest.mark.parametrize(("train", "test"), [(80, 20), (30, 20)])
def test_plain_intervals_over_overlapping_splits_are_too_narrow_and_corrected_ones_are_not(train, test):
    sizes = {"train": train, "test": test}
    ours, theirs = resplit_accuracies(rng(1), 15_000, 1, **sizes)
    truth = (ours - theirs).mean()  # over new data sets, one split each
    ours, theirs = resplit_accuracies(rng(2), 1000, 10, **sizes)
    error = np.sqrt(0.95 * 0.05 / 1000)
    assert covered(compare_pairs(ours, theirs, split="fixed"), truth) < 0.95 - 3 * error
    corrected = compare_pairs(ours, theirs, split=Resplit(n_test=test, n_rest=100 - test))
    assert covered(corrected, truth) > 0.95 - 2 * error
