"""Ranks over data sets against scipy and Demsar (2006), and when there is no overall verdict."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.stats import DataSetRanks, NoRanks, critical_difference, nemenyi_p, rank_over_data_sets

DEMSAR = {
    "C4.5": [4, 1, 4, 4, 4, 1, 3, 2.5, 4, 2.5, 4, 3, 4, 3],
    "C4.5+m": [3, 2, 1, 1, 2, 2.5, 2, 2.5, 3, 2.5, 2.5, 2, 1, 1],
    "C4.5+cf": [2, 3, 2, 3, 3, 4, 4, 4, 2, 2.5, 1, 4, 2, 4],
    "C4.5+m+cf": [1, 4, 3, 2, 1, 2.5, 1, 1, 1, 2.5, 2.5, 1, 3, 2],
}
"""Ranks of table 6 in Demsar (2006), four classifiers on fourteen data sets."""


def tasks(n):
    return [f"task {i}" for i in range(n)]


def each_its_own(frame):
    return {task: f"data of {task}" for task in frame.columns}


def simulated(strategies=4, data_sets=8, seed=0):
    values = np.random.default_rng(seed).normal(0.7, 0.05, (strategies, data_sets))
    return pd.DataFrame(values, [f"s{i}" for i in range(strategies)], tasks(data_sets))


def test_demsars_example():
    table = pd.DataFrame.from_dict(DEMSAR, orient="index", columns=tasks(14))
    found = rank_over_data_sets(table, each_its_own(table), direction="down")
    assert found.mean_ranks.round(3).to_dict() == {"C4.5+m+cf": 1.964, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5": 3.143}
    assert round(found.critical_difference, 2) == 1.25
    assert (found.pairwise_p.to_numpy() > 0.05).all()  # the largest difference of ranks is 1.18
    assert found.has_differences


def test_pairwise_p_values_are_those_of_scikit_posthocs():
    """Computed with `posthoc_nemenyi_friedman` of scikit-posthocs 0.17.1 on Demsar's ranks."""
    pairs = nemenyi_p(pd.DataFrame(DEMSAR))
    theirs = [
        0.08867270928888271,
        0.9561771752218107,
        0.0741847950687442,
        0.2592280701547286,
        0.999859449385133,
        0.22669688602641525,
    ]
    np.testing.assert_allclose(pairs.to_numpy()[np.triu_indices(4, 1)], theirs, rtol=1e-9)
    assert pairs.equals(pairs.T)
    assert (np.diagonal(pairs) == 1).all()


@pytest.mark.parametrize(
    ("strategies", "quantile"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_critical_differences_are_those_of_demsars_table_5a(strategies, quantile):
    expected = quantile * np.sqrt(strategies * (strategies + 1) / (6 * 12))
    assert critical_difference(strategies, 12) == pytest.approx(expected, abs=1e-3)


def test_friedmans_test_is_scipys_and_pairs_differ_where_ranks_exceed_the_critical_difference():
    table = simulated(data_sets=9) + np.array([[0.0], [0.02], [0.1], [0.2]])
    found = rank_over_data_sets(table, each_its_own(table), direction="up")
    assert isinstance(found, DataSetRanks)
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*table.to_numpy()).pvalue)
    ranks = found.mean_ranks.to_numpy()
    apart = np.abs(np.subtract.outer(ranks, ranks)) > found.critical_difference
    pairs = found.pairwise_p.loc[found.mean_ranks.index, found.mean_ranks.index].to_numpy()
    np.testing.assert_array_equal(pairs < 0.05, apart)
    assert apart.any()
    assert found.mean_ranks.idxmin() == "s3"


def test_variants_of_one_data_set_count_once():
    table = simulated(data_sets=7)
    apart = np.array([0.5, -0.5, 0.3, -0.3])  # alone, either variant ranks the strategies differently
    doubled = table.assign(variant=table["task 0"] + apart).assign(**{"task 0": table["task 0"] - apart})
    data_sets = each_its_own(table)
    found = rank_over_data_sets(
        doubled, data_sets | {"variant": data_sets["task 0"], "of another study": "x"}, direction="up"
    )
    alone = rank_over_data_sets(table, data_sets, direction="up")
    assert found.data_sets == alone.data_sets
    assert len(found.data_sets) == 7
    pd.testing.assert_series_equal(found.mean_ranks, alone.mean_ranks)
    assert found.friedman_p == pytest.approx(alone.friedman_p)


def test_variants_do_not_make_up_for_data_sets():
    table = simulated(data_sets=8)
    found = rank_over_data_sets(table, {task: f"data {i // 2}" for i, task in enumerate(table.columns)}, direction="up")
    assert found == NoRanks("no overall verdict: 4 independent data sets, but at least 6 are needed", {})


def test_strategies_that_lack_a_task_are_left_out_and_named():
    table = simulated(strategies=5)
    table.loc["s1", ["task 2", "task 5"]] = np.nan
    found = rank_over_data_sets(table, each_its_own(table), direction="up")
    alone = rank_over_data_sets(table.drop("s1"), each_its_own(table), direction="up")
    assert found.missing == {"s1": ["task 2", "task 5"]}
    pd.testing.assert_series_equal(found.mean_ranks, alone.mean_ranks)


@pytest.mark.parametrize("strategies", [2, 11])
def test_too_few_or_too_many_strategies_have_no_overall_verdict(strategies):
    table = simulated(strategies=strategies)
    found = rank_over_data_sets(table, each_its_own(table), direction="up")
    assert (
        found.reason
        == f"no overall verdict: {strategies} strategies have results on every task, but 3 to 10 are needed"
    )


def test_strategies_that_are_all_equal_have_no_overall_verdict():
    table = simulated() * 0
    found = rank_over_data_sets(table, each_its_own(table), direction="up")
    assert found.reason == "no overall verdict: all strategies are equal on every data set"


def test_without_a_strategy_that_has_every_task_there_is_no_overall_verdict():
    table = simulated()
    table["task 3"] = np.nan
    found = rank_over_data_sets(table, each_its_own(table), direction="up")
    assert found.reason.startswith("no overall verdict: 0 strategies")
    assert list(found.missing) == ["s0", "s1", "s2", "s3"]


def test_a_task_without_a_data_set_is_refused():
    with pytest.raises(ValueError, match="task 7"):
        rank_over_data_sets(simulated(), dict.fromkeys(tasks(7), "x"), direction="up")
