"""Long-tailed digits: the exponential profile in train and validation, equal classes in test, no row in two parts."""

import hashlib
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from sklearn.datasets import load_digits

from bench.errors import InputError
from bench.tasks import find_task
from bench.tasks.digits_lt import HELD_OUT, DigitsLT


def rows(part):
    """Each row with its label, as it can be counted."""
    return Counter(
        (tuple(x), y) for x, y in zip((part.x * 16).round().int().tolist(), part.labels.values.tolist(), strict=True)
    )


def everything():
    return Counter((tuple(map(int, x)), y) for x, y in zip(*load_digits(return_X_y=True), strict=True))


@settings(deadline=None)
@given(st.floats(1, 100))
def test_counts_fall_exponentially_from_a_hundred_by_the_factor(factor):
    counts = DigitsLT(factor).counts()
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 100
    exact = [100 * factor ** (-digit / 9) for digit in range(10)]
    assert all(
        0 <= wanted - count < 1 or count == pytest.approx(wanted) for count, wanted in zip(counts, exact, strict=True)
    )
    assert counts[-1] >= 1


@settings(deadline=None)
@given(st.floats(1, 100))
def test_validation_has_the_profile_of_training_and_an_item_of_every_class(factor):
    spec = DigitsLT(factor)
    assert spec.valid_counts()[0] == HELD_OUT
    for train, valid in zip(spec.counts(), spec.valid_counts(), strict=True):
        assert valid >= 1
        assert abs(valid - train * HELD_OUT / 100) <= 1  # both are rounded


@pytest.mark.parametrize("factor", [1, 10, 50, 100])
def test_train_and_valid_have_these_counts_and_test_is_balanced(factor):
    spec = DigitsLT(factor)
    task = spec.load(default_rng(3))
    assert task.train.labels.counts().values.tolist() == spec.counts()
    assert task.valid.labels.counts().values.tolist() == task.valid_counts.tolist() == spec.valid_counts()
    assert task.test.labels.counts().values.tolist() == [HELD_OUT] * 10
    assert task.prior == "balanced"
    assert task.target_prior.tolist() == [0.1] * 10  # that of test, not that of validation
    assert task.train.labels.class_names == tuple("0123456789")
    assert task.train.x.shape == (sum(spec.counts()), 64)
    assert 0 <= task.train.x.min() < task.train.x.max() <= 1


@pytest.mark.parametrize("factor", [1, 50])
@pytest.mark.parametrize("seed", [0, 2**62])
def test_no_row_is_in_two_parts_and_every_row_keeps_its_label(factor, seed):
    task = DigitsLT(factor).load(default_rng(seed))
    used = rows(task.train) + rows(task.valid) + rows(task.test)
    assert used <= everything()


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (DigitsLT().load(default_rng(seed)) for seed in (5, 5, 6))
    for part in ("train", "valid", "test"):
        ours, theirs, others = (getattr(task, part) for task in (first, again, other))
        assert torch.equal(ours.x, theirs.x)
        assert torch.equal(ours.labels.values, theirs.labels.values)
        assert rows(ours) != rows(others), part
    assert first.fingerprint == other.fingerprint


def test_balanced_validation_is_an_option_that_changes_validation_alone():
    long_tailed, balanced = (
        find_task(text).load(default_rng(5)) for text in ("digits-lt", "digits-lt(valid=balanced)")
    )
    assert balanced.valid.labels.counts().values.tolist() == [HELD_OUT] * 10
    assert rows(long_tailed.valid) < rows(balanced.valid)
    assert rows(long_tailed.train) == rows(balanced.train)
    assert rows(long_tailed.test) == rows(balanced.test)
    # Checkpoints depend on validation, so runs of the two, and of versions that had only the balanced one, have other ids.
    assert long_tailed.fingerprint != balanced.fingerprint
    before = hashlib.sha256(b"".join(array.tobytes() for array in load_digits(return_X_y=True))).hexdigest()[:16]
    assert before not in (long_tailed.fingerprint, balanced.fingerprint)


def test_another_factor_changes_train_and_valid_and_a_longer_tail_is_part_of_a_shorter_one():
    mild, steep = DigitsLT(10).load(default_rng(5)), DigitsLT(50).load(default_rng(5))
    assert rows(steep.valid) < rows(mild.valid)
    assert rows(mild.test) == rows(steep.test)
    assert rows(steep.train) < rows(mild.train)


@pytest.mark.parametrize("factor", [0, 0.99, -3, 100.5, float("nan"), float("inf")])
def test_a_factor_that_leaves_a_class_empty_or_reverses_the_tail_is_refused(factor):
    with pytest.raises(InputError, match=r"digits-lt: factor must be from 1 to 100.*given: "):
        DigitsLT(factor)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("digits-lt(factor=0)", "factor must be from 1 to 100"),
        ("digits-lt(factor=many)", "factor must be a finite number; given: 'many'"),
        ("digits-lt(fctor=3)", "did you mean factor"),
        ("digits-lt(valid=equal)", "valid must be 'long-tailed' or 'balanced'; given: 'equal'"),
        ("digits-lt(1, balanced, 2)", "3 unnamed values given"),
    ],
)
def test_an_invalid_parameter_is_refused_with_what_is_allowed(text, complaint):
    with pytest.raises(InputError) as error:
        find_task(text)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_the_label_names_a_factor_other_than_the_default():
    assert [find_task(text).label for text in ("digits-lt", "digits-lt(50)", "digits-lt(factor=100)")] == [
        "digits-lt",
        "digits-lt",
        "digits-lt(factor=100.0)",
    ]
