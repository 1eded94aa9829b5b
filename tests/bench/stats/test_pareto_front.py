"""The Pareto front against its definition, point by point."""

import numpy as np
import pytest

from bench.stats import pareto_front


def on_front(i, measure, cost):
    others = [j for j in range(len(measure)) if j != i]
    return not any(
        measure[j] >= measure[i] and cost[j] <= cost[i] and (measure[j], cost[j]) != (measure[i], cost[i])
        for j in others
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_what_nothing_dominates(seed):
    measure, cost = np.random.default_rng(seed).integers(0, 12, (2, 40)) / 4  # with ties
    assert pareto_front(measure, cost, cost).tolist() == [on_front(i, measure, cost) for i in range(40)]


def test_points_with_nan_are_off_the_front_and_exclude_no_other():
    costs = [0.1, 1.0, 2.0, np.nan]
    assert pareto_front([np.nan, 0.5, 0.4, 0.9], costs, costs).tolist() == [False, True, False, False]


def test_equal_points_are_on_the_front_together():
    assert pareto_front([0.5, 0.5], [1.0, 1.0], [1.0, 1.0]).tolist() == [True, True]


def test_costs_that_overlap_count_as_equal():
    measure, low, high = [0.80, 0.79, 0.78, 0.77], [1.0, 0.9, 0.6, 0.7], [1.2, 1.0, 0.8, 0.85]
    assert pareto_front(measure, low, high).tolist() == [True, False, True, False]


def test_without_points_there_is_no_front():
    assert pareto_front([], [], []).tolist() == []
