"""Data of a Python program are written so that workers read the same values."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from bench.comparison.given_data import keep_data
from bench.errors import InputError
from bench.user_data.source import find_source


def keep(tmp_path, data, target=None, groups=None, time=None):
    return keep_data(data, target, groups, time, lambda name, of: tmp_path / f"{name}-{of}")


def test_a_path_stays_where_it_is(tmp_path):
    given = keep(tmp_path, tmp_path / "x.csv", "y", "who")
    assert (given.path, given.target, given.group, given.time) == (str(tmp_path / "x.csv"), "y", "who", "")
    assert list(tmp_path.iterdir()) == []


def test_a_frame_keeps_its_columns_and_gets_those_that_are_given_apart(tmp_path):
    frame = pd.DataFrame({"a": [1.5, None, 3.0], "b": pd.Categorical(["x", "y", "x"])}, index=[7, 8, 9])
    given = keep(tmp_path, frame, pd.Series([0, 1, 0], name="is fraud", index=[1, 2, 3]), groups=[1, 1, 2])
    read = pd.read_parquet(given.path)
    assert given.target == "is fraud"
    assert list(read.columns) == ["a", "b", "is fraud", given.group]
    assert read["is fraud"].tolist() == [0, 1, 0]
    assert list(frame.columns) == ["a", "b"]  # the user's frame is left as it was


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor, sparse.csr_matrix], ids=["numpy", "torch", "sparse"])
def test_arrays_of_all_kinds_are_kept(tmp_path, kind):
    rows = [[0.0, 1.0], [2.0, 0.0], [0.0, 3.0]]
    given = keep(tmp_path, kind(rows), torch.tensor([0, 1, 1]), groups=[5, 5, 6])
    read = pd.read_parquet(given.path)
    assert read[["x0", "x1"]].to_numpy().tolist() == rows
    assert read[given.target].tolist() == [0, 1, 1]
    assert read[given.group].tolist() == [5, 5, 6]


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64])
def test_integers_of_a_matrix_are_numbers(tmp_path, kind):
    pixels = np.random.default_rng(0).integers(0, 5, (200, 3)).astype(kind)
    given = keep(tmp_path, pixels, [0, 1] * 100)
    plan = find_source(given.path, target=given.target).prepare().plan
    assert [column.kind for column in plan.columns] == ["number"] * 3 + ["target"]
    np.testing.assert_array_equal(plan.prepare(pd.read_parquet(given.path)), pixels)


def test_an_npz_file_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.eye(3), y=np.array(["b", "a", "b"]))
    given = keep(tmp_path, tmp_path / "a.npz")
    assert pd.read_parquet(given.path)[given.target].tolist() == ["b", "a", "b"]
    np.savez(tmp_path / "a.npz", x=np.eye(3))
    with pytest.raises(InputError, match=r"lacks X and y; it holds x"):
        keep(tmp_path, tmp_path / "a.npz")
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"readable \.npz file"):
        keep(tmp_path, tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("data", "target", "groups", "message"),
    [
        (pd.DataFrame({"a": [1, 2]}), [1], None, "target must have a value for each of the 2 rows"),
        (np.zeros((3, 2)), [1, 0, 1], [1], "groups must have a value for each of the 3 rows"),
        (np.zeros((3, 2)), "y", None, "give the labels"),
        (np.zeros(3), [1, 0, 1], None, "must be features"),
        (sparse.csr_matrix((100_000, 1_000)), np.zeros(100_000), None, "TruncatedSVD"),
        ("x.csv", [1, 0], None, "target must be the name of a column"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, data, target, groups, message):
    with pytest.raises(InputError, match=message):
        keep(tmp_path, data, target, groups)


def test_messages_name_what_was_given(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(60, 2)), [0, 1] * 30
    np.savez(tmp_path / "nan.npz", X=x, y=y)
    cases = (
        (tmp_path / "nan.npz", None, "nan.npz"),
        (x, y, "the arrays"),
        (pd.DataFrame({"a": y, "b": y}), "b", "the frame"),
    )
    for data, target, name in cases:
        given = keep(tmp_path, data, target)
        with pytest.raises(InputError, match=rf"^{name}: --target 'z': there is no such column"):
            find_source(given.path, target="z", given=given.name)
        with pytest.raises(InputError, match=rf"^{name} is a table, so name the column"):
            find_source(given.path, given=given.name)
    with pytest.raises(InputError, match="the frame must have rows and columns; given: 0 x 2"):
        keep(tmp_path, pd.DataFrame({"a": [], "b": []}), "b")


def test_images_are_flattened_with_a_note(tmp_path):
    images, y = np.random.default_rng(0).normal(size=(60, 4, 3)), [0, 1] * 30
    np.savez(tmp_path / "a.npz", X=images, y=y)
    np.savez(tmp_path / "split.npz", X=images, y=y, split=["train"] * 20 + ["valid"] * 20 + ["test"] * 20)
    for data, target in ((images, y), (tmp_path / "a.npz", None), (tmp_path / "split.npz", None)):
        given = keep(tmp_path, data, target)
        spec = find_source(given.path, target=given.target, given=given.name, notes=given.notes)
        task = spec.load(np.random.default_rng(0))
        assert task.shape.features == 12
        assert "items of the shape 4 x 3 are flattened to 12 numbers each" in task.notes
