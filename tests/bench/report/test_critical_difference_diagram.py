"""The critical-difference diagram: which strategies a bar joins, and which labels it shows."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bench.report.sections.across_data_sets import _draw_diagram, _joined_stretches
from bench.stats import DataSetRanks, rank_over_data_sets


def ranks(gains, data_sets=9):
    noise = np.random.default_rng(3).normal(0, 0.02, (len(gains), data_sets))
    table = pd.DataFrame(0.7 + noise + np.array(gains)[:, None], [f"s{i}" for i in range(len(gains))])
    found = rank_over_data_sets(table, {task: str(task) for task in table.columns}, direction="up")
    assert isinstance(found, DataSetRanks)
    return found


@pytest.mark.parametrize("gains", [[0, 0, 0, 0], [0, 0.01, 0.02, 0.03, 0.04], [0, 0.1, 0.2, 0.3, 0.4, 0.5]], ids=str)
def test_bars_join_exactly_the_strategies_that_the_test_does_not_separate(gains):
    found = ranks(gains)
    names = list(found.mean_ranks.index)
    joined = {
        (a, b) for first, last in _joined_stretches(found) for a in range(first, last) for b in range(a + 1, last + 1)
    }
    expected = {
        (a, b)
        for a in range(len(names))
        for b in range(a + 1, len(names))
        if found.pairwise_p.loc[names[a], names[b]] >= 0.05
    }
    assert joined == expected


def test_no_bar_lies_within_another():
    bars = _joined_stretches(ranks([0, 0.005, 0.01, 0.02, 0.03, 0.05]))
    assert not [(a, b) for a in bars for b in bars if a != b and b[0] <= a[0] and a[1] <= b[1]]


def test_the_better_half_is_labelled_on_the_left():
    found = ranks([0, 0.1, 0.2, 0.3, 0.4])
    (axes,) = _draw_diagram(found).axes
    labels = [(text.get_text().strip(), text.get_ha()) for text in axes.texts]
    assert [side for _, side in labels] == ["right"] * 3 + ["left"] * 2
    assert labels[0][0].startswith(f"{found.mean_ranks.index[0]} [")
    assert labels[-1][0].endswith(f"] {found.mean_ranks.index[-1]}")


def test_a_long_name_leaves_room_for_the_diagram():
    found = ranks([0, 0.1, 0.2])
    long = {name: f"{name}-" + "人name" * 40 for name in found.mean_ranks.index}
    p = found.pairwise_p.rename(index=long, columns=long)
    figure = _draw_diagram(dataclasses.replace(found, mean_ranks=found.mean_ranks.rename(long), pairwise_p=p))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert all(len(text.get_text()) < 60 for text in axes.texts)
    assert axes.get_window_extent().width > figure.bbox.width / 10
