"""The splitter: laws of every split, the shares of the classes, and whole groups, times and twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from sklearn.model_selection import StratifiedGroupKFold

from bench.errors import InputError
from bench.tasks.splitting import Split, complete_split, split_rows
from bench.tasks.task import Task

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=80)


def parts(split: Split):
    return (split.train, split.valid, split.test)


def part_of_row(split: Split, count: int) -> np.ndarray:
    part = np.full(count, -1)
    for number, members in enumerate(parts(split)):
        assert (part[members] == -1).all()
        part[members] = number
    assert (part >= 0).all()
    return part


def assert_whole(part: np.ndarray, values: np.ndarray) -> None:
    for value in np.unique(values):
        assert len(np.unique(part[values == value])) == 1


@given(rows, st.integers(0, 9), st.sampled_from(["groups", "twins", None]))
@settings(max_examples=60, deadline=None)
def test_each_row_is_in_one_part_and_training_has_every_class(pairs, seed, together):
    classes, values = np.array(pairs).T
    options = {} if together is None else {together: values}
    split = split_rows(classes, rng=default_rng(seed), **options)
    part = part_of_row(split, len(classes))
    assert set(classes[split.train]) == set(classes)
    if together:
        assert_whole(part, values)
    again = split_rows(classes, rng=default_rng(seed), **options)
    assert all(np.array_equal(one, other) for one, other in zip(parts(split), parts(again), strict=True))


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_each_part_has_its_share_of_each_class(counts, seed):
    classes = np.repeat(np.arange(len(counts)), counts)
    split = split_rows(classes, rng=default_rng(seed))
    train, valid, test = (np.bincount(classes[part], minlength=len(counts)) for part in parts(split))
    for place, count in enumerate(counts):
        assert train[place] >= 1
        assert (test[place] >= 1) == (count >= 2)
        assert (valid[place] >= 1) == (count >= 3)
        assert max(abs(test[place] - count / 5), abs(valid[place] - count / 5), abs(train[place] - 0.6 * count)) < 1.3


@given(st.lists(st.integers(0, 12), min_size=20, max_size=60))
@settings(max_examples=60, deadline=None)
def test_times_are_in_order_and_equal_ones_stay_together(times):
    time = np.array(times)
    if len(set(times)) < 3:
        with pytest.raises(InputError, match="3 parts in the order of time need 3 different times"):
            split_rows(time * 0, rng=default_rng(0), time=time)
        return
    split = split_rows(time * 0, rng=default_rng(0), time=time)
    part_of_row(split, len(time))
    assert time[split.train].max() < time[split.valid].min() <= time[split.valid].max() < time[split.test].min()


def test_times_are_cut_where_the_shares_are_nearest():
    split = split_rows(np.zeros(10, int), rng=default_rng(0), time=np.arange(10)[::-1])
    assert [part.tolist() for part in parts(split)] == [[4, 5, 6, 7, 8, 9], [2, 3], [0, 1]]


def test_groups_are_as_stratified_as_scikit_learns():
    rng = default_rng(3)
    groups = rng.integers(0, 60, 2000)
    classes = (rng.random(2000) < rng.beta(1, 12, 60)[groups]).astype(int)

    def unevenness(members):
        return abs(classes[members].mean() / classes.mean() - 1)

    ours = [unevenness(split_rows(classes, rng=default_rng(seed), groups=groups).test) for seed in range(10)]
    theirs = [
        unevenness(next(StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(classes, classes, groups))[1])
        for seed in range(10)
    ]
    assert np.mean(ours) <= np.mean(theirs) + 0.02
    tests = {tuple(split_rows(classes, rng=default_rng(seed), groups=groups).test) for seed in range(10)}
    assert len(tests) == 10  # chance has a say in large groups too


def test_what_is_given_stays_and_the_rest_is_split_off():
    classes, none = np.array([0, 1] * 50), np.zeros(0, np.int64)
    given_test = Split(np.arange(80), none, np.arange(80, 100))
    split = complete_split(given_test, classes, rng=default_rng(0))
    assert np.array_equal(split.test, np.arange(80, 100))
    assert (len(split.train), len(split.valid)) == (64, 16)
    for wrong, message in (
        (Split(np.arange(9), none, np.arange(8, 20)), "puts 1 rows into more than one part"),
        (Split(np.arange(9), none, np.array([100])), "names the rows 0 to 100; expected rows from 0 to 99"),
    ):
        with pytest.raises(InputError, match=message):
            complete_split(wrong, classes, rng=default_rng(0))


def test_a_million_rows_with_twins_are_split_exactly():
    rng = default_rng(0)
    classes = (rng.random(1_000_000) < 0.01).astype(int)
    twins = rng.integers(0, 600_000, 1_000_000)
    split = split_rows(classes, rng=default_rng(1), twins=twins)
    assert_shares = [np.bincount(classes[part]) / np.bincount(classes) for part in parts(split)]
    assert np.allclose(assert_shares, np.array([[0.6] * 2, [0.2] * 2, [0.2] * 2]), atol=1e-3)
    part = part_of_row(split, len(classes))
    order = np.argsort(twins, kind="stable")
    same = np.diff(twins[order]) == 0
    assert (np.diff(part[order])[same] == 0).all()


# Tasks of arrays


def make(classes, **options):
    x = default_rng(5).normal(size=(len(classes), 2))
    return Task.from_arrays(options.pop("x", x), classes, rng=default_rng(options.pop("seed", 0)), **options)


def test_identical_rows_stay_together_and_contradictions_are_counted():
    x = np.repeat(np.arange(30.0), 2)[:, None]
    y = np.array([0, 0] * 15 + [1, 1] * 13 + [0, 1] * 2)
    task = make(y, x=x)
    seen = [set(part.x.flatten().tolist()) for part in (task.train, task.valid, task.test)]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 30
    assert "60 of 60 rows are identical to another row, and stay in one part" in task.notes
    assert "4 rows are identical to a row of another class: no model can get all of them right" in task.notes


def test_where_rare_classes_go_is_said():
    task = make(["a"] * 50 + ["b"] * 20 + ["c"] * 2 + ["d"])
    assert "d: one item, which is in training" in task.notes
    assert "c: two items, one in training and one in test" in task.notes
    assert task.train.labels.class_names == ("a", "b", "c", "d")


def test_resplit_is_that_of_the_kind_of_split():
    y = np.array([0, 1] * 50)
    split = Split(np.arange(60), np.arange(60, 80), np.arange(80, 100))
    time = make(y, time=np.arange(100))
    assert make(y).resplit == (20, 80)
    assert make(y, groups=np.arange(100) % 20).resplit == (20, 80)
    assert time.resplit is make(y, split=split).resplit is None
    assert any(
        "all seeds share this split: they differ in initial weights and sampling only" in note for note in time.notes
    )
    assert make(y, time=np.arange(100), seed=1).compute_digest() == time.compute_digest()


def test_a_class_that_only_later_times_have_is_kept_and_noted():
    y = np.array(["a", "b"] * 45 + ["new", "a"] * 5)
    task = make(y, time=np.arange(100))
    assert task.train.labels.class_names == ("a", "b", "new")
    assert any(note.startswith("train has no new: no model can learn a class without an item") for note in task.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": np.array([0, 1] * 50)}, "finer groups, or leave them out"),
        (
            {"time": np.array([0, 1] * 50) + np.arange(100) / 1e4},
            "two classes need to occur in each period; leave time out",
        ),
        ({"x": np.zeros((100, 2))}, "identical rows stay in one part"),
        (
            {"split": Split(np.arange(60), np.arange(60, 80), np.arange(81, 100, 2))},
            "give a part with items of at least two",
        ),
    ],
)
def test_a_part_with_one_class_is_refused_with_the_fix(options, message):
    with pytest.raises(InputError, match=message):
        make(np.array([0, 1] * 50), **options)


def test_fewer_than_three_items_of_one_of_two_classes_are_refused():
    for count in (1, 2):
        with pytest.raises(InputError, match=f"class 1 has {count} items? .*three parts need three; collect more"):
            make([0] * 50 + [1] * count)
    make([0] * 50 + [1] * 3)


def test_preprocessing_is_fitted_on_the_training_part_alone():
    from sklearn.preprocessing import StandardScaler

    x, y = default_rng(2).normal(3, 5, size=(90, 4)), np.array([0, 1, 1] * 30)
    task = make(y, x=x, preprocessing=StandardScaler())
    assert np.allclose(task.preprocessing.mean_, x[task.rows.train].mean(0))
    assert np.allclose(task.test.x.numpy(), task.preprocessing.transform(x[task.rows.test]), atol=1e-6)
    assert task.fingerprint == make(y, x=x, preprocessing=StandardScaler(), seed=1).fingerprint
    assert task.fingerprint != make(y, x=x).fingerprint


def test_rows_that_groups_or_times_put_into_two_parts_are_noted_and_a_given_split_with_many_is_refused():
    from bench.tasks.leakage import note_shared_rows, refuse_held_out_rows
    from bench.tasks.part import Pool

    x, y = default_rng(0).integers(0, 3, (300, 2)).astype(float), default_rng(1).integers(0, 2, 300)
    for options in ({"time": np.arange(300)}, {"groups": np.arange(300) % 50}):
        task = make(y, x=x, **options)
        refuse_held_out_rows(Pool(task.train), task)
        assert any("test rows (100.0%) are in train too" in note for note in note_shared_rows(task))
    task = make(y, x=x, split=Split(np.arange(180), np.arange(180, 240), np.arange(240, 300)))
    with pytest.raises(InputError, match="60 of 60 test rows are in train too"):
        refuse_held_out_rows(Pool(task.train), task)
