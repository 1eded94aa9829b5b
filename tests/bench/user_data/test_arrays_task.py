"""Arrays of an `.npz` file: rows and packed sequences become tasks, and what cannot be read is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from bench.errors import InputError
from bench.tasks.part import TaggedSentences
from bench.user_data.arrays_task import ArraysTask
from bench.user_data.source import find_source

X = default_rng(0).normal(size=(60, 3))
Y = np.array([0] * 40 + [1] * 20)
LENGTHS = np.array([3] * 20)
TOKENS = default_rng(1).integers(0, 50, 60)


@pytest.fixture
def save(tmp_path):
    """Writes arrays into a file, and returns its path."""

    def save(**arrays) -> Path:
        path = tmp_path / "own.npz"
        np.savez(path, **arrays)
        return path

    return save


def load(path, seed=0):
    return ArraysTask.of(path).load(default_rng(seed))


def test_rows_become_a_task_that_find_source_finds(save):
    task = find_source(save(X=X, y=Y)).load(default_rng(0))
    assert task.shape.features == 3
    for part, rows in ((task.train, task.rows.train), (task.valid, task.rows.valid), (task.test, task.rows.test)):
        assert np.array_equal(part.x.numpy(), X[rows].astype(np.float32))
        assert np.array_equal(part.labels.values.numpy(), Y[rows])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (Y.astype(float), ("0", "1")),
        (Y == 1, ("False", "True")),
        (np.where(Y, "very rare", "the rest"), ("the rest", "very rare")),
        (Y[:, None], ("0", "1")),
        (np.where(Y, b"x", b"z"), ("z", "x")),
    ],
)
def test_labels_may_be_whole_floats_truth_values_text_or_a_column(save, labels, names):
    assert load(save(X=X, y=labels)).train.labels.class_names == names


def test_groups_and_a_given_split_are_kept(save):
    groups = np.arange(60) % 15
    task = load(save(X=X, y=Y, groups=groups))
    of_parts = [set(groups[rows]) for rows in (task.rows.train, task.rows.valid, task.rows.test)]
    assert sum(map(len, of_parts)) == len(set().union(*of_parts)) == 15
    split = np.array(["train", "valid", "test", "train"] * 15)
    task = load(save(X=X, y=Y, split=split))
    assert task.resplit is None
    assert np.array_equal(task.rows.test, np.flatnonzero(split == "test"))
    assert np.array_equal(task.rows.valid, np.flatnonzero(split == "valid"))


def test_packed_sequences_become_tagged_sentences_that_stay_whole(save):
    task = load(save(X=TOKENS, y=Y, lengths=LENGTHS))
    assert isinstance(task.train, TaggedSentences)
    assert sum(len(part.labels) for part in (task.train, task.valid, task.test)) == 20
    assert {int(length) for part in (task.train, task.test) for length in part.labels.positions} == {3}
    assert load(save(X=TOKENS, y=Y, lengths=LENGTHS), seed=1).compute_digest() == task.compute_digest()


BAD = [
    ({"X": X}, "lacks y; it holds X; save it with numpy.savez"),
    ({"X": X, "labels": Y}, "lacks y; it holds X, labels; did you mean to name labels so?"),
    ({"X": X, "y": Y, "group": Y}, "holds group, which is not read; did you mean groups"),
    ({"X": X[:5], "y": Y}, "x has 5 rows, and y 60 labels"),
    ({"X": X[:, 0], "y": Y}, r"x has the shape \(60,\); expected rows of numbers, \(N, F\); give x.reshape\(60, -1\)"),
    ({"X": X[:, :0], "y": Y}, r"x has the shape \(60, 0\)"),
    ({"X": X.astype(str), "y": Y}, "x holds values of type <U32; expected numbers"),
    ({"X": X + 1j, "y": Y}, "x holds values of type complex128; expected numbers"),
    ({"X": X * 1e300, "y": Y}, "beyond float32"),
    ({"X": X.astype(object), "y": Y}, "Python objects, which are not loaded, as they can run code"),
    ({"X": X, "y": np.where(Y, np.nan, 1.0)}, "20 of 60 values in y are missing, the first in row 40"),
    ({"X": X, "y": Y + 0.5}, "y holds numbers such as 0.5, and a class is a whole number or text"),
    ({"X": X, "y": np.where(Y, np.inf, 1.0)}, "y holds numbers such as inf"),
    ({"X": X, "y": Y * 0}, "every label in y is '0'; with fewer than two classes"),
    ({"X": X, "y": np.eye(2)[Y]}, r"y has the shape \(60, 2\).*give y.argmax\(axis=1\)"),
    ({"X": X, "y": np.array(3)}, r"y has the shape \(\)"),
    ({"X": X[:0], "y": Y[:0]}, "y has no label"),
    ({"X": X, "y": Y, "groups": Y[:9]}, r"groups has the shape \(9,\); expected one value per row, \(60,\)"),
    ({"X": X, "y": Y, "split": ["train"] * 59 + ["holdout"]}, "split holds 'holdout'; name the parts"),
    ({"X": X, "y": Y, "split": [2] * 60}, "the training part has no row"),
    ({"X": X, "y": Y, "time": np.full(60, np.datetime64("NaT", "D"))}, "60 of 60 values in time are missing"),
    ({"X": X, "y": Y, "time": Y, "groups": Y}, "groups and time are both given"),
    ({"X": X, "y": Y, "lengths": LENGTHS}, "X holds floats, and sequences are those of token ids"),
    ({"X": TOKENS, "y": Y, "lengths": LENGTHS[:5]}, "60 tokens and y 60 tags, and lengths add up to 15"),
    ({"X": TOKENS, "y": Y, "lengths": LENGTHS - 3}, "lengths must be whole numbers from 1"),
    ({"X": TOKENS, "y": Y, "lengths": [30, 30]}, "part has no sequence: 2 sequences are too few"),
]


@pytest.mark.parametrize(("arrays", "message"), BAD, ids=[message[:30] for _, message in BAD])
@pytest.mark.filterwarnings("ignore:overflow")
def test_bad_arrays_are_refused_in_one_line_with_the_file(save, arrays, message):
    path = save(**arrays)
    with pytest.raises(InputError, match=message) as error:
        load(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04", None])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "own.npz"
    if content is None:
        whole = tmp_path / "whole.npz"
        np.savez(whole, X=X, y=Y)
        content = whole.read_bytes()[:-200]
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"own.npz: not a readable .npz file .*; save it with numpy.savez"):
        ArraysTask.of(path)
