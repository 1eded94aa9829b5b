"""The target is found by its name, its labels are read as they are meant, and what is no target is refused with what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError
from bench.user_data.table_task import TableTask
from bench.user_data.target_column import find_column, read_target

NAMES = ["amount", "Is Fraud", "age"]


def read(values, name: str = "y"):
    return read_target(name, pd.Series(values), "t.csv", lambda: "BINS")


def refused(values) -> str:
    with pytest.raises(InputError) as error:
        read(values)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("asked", ["Is Fraud", "is fraud", " Is Fraud ", "is_fraud", "IsFraud"])
def test_case_and_blanks_do_not_matter_where_one_column_is_meant(asked):
    column, notes = find_column(asked, NAMES, "--target")
    assert column == "Is Fraud"
    assert bool(notes) == (asked != "Is Fraud")


def test_no_such_column():
    with pytest.raises(
        InputError, match=r"--target 'amont': .*did you mean 'amount'\? the columns are amount, Is Fraud, age"
    ):
        find_column("amont", NAMES, "--target")
    with pytest.raises(InputError, match=r"there are 'a' and 'A '"):
        find_column("A", ["a", "A "], "--group")
    many = [f"sensor{number}" for number in range(100)]
    with pytest.raises(InputError, match=r"the 100 columns begin with sensor0, "):
        find_column("fraud", many, "--target")
    with pytest.raises(InputError, match=r"did you mean 'sensor7.*There are 100 columns"):
        find_column("sensr77", many, "--target")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["0.0", "1.0", "0"], ["0", "1", "0"]),
        ([0.0, 1.0, 0.0], ["0", "1", "0"]),
        (["01", "1", "01"], ["01", "1", "01"]),
        ([" yes", "no ", "no"], ["yes", "no", "no"]),
        ([True, False, False], ["True", "False", "False"]),
        (pd.Categorical(["b", "a", "a"], categories=["a", "b", "never"]), ["b", "a", "a"]),
        (pd.array([1, 2, 1], dtype="Int64"), ["1", "2", "1"]),
        (["None", "Mild", "Mild"], ["None", "Mild", "Mild"]),
        (["-1", "+1", "1.0"], ["-1", "1", "1"]),
    ],
)
def test_labels(values, labels):
    assert list(read(values).labels) == labels


def test_rows_without_a_label_are_counted():
    target = read(["a", "", None, "nan", "b", "b", float("nan")])
    assert target.labels.notna().sum() == 3
    assert "4 rows without a label in 'y' left out" in target.notes


def test_what_was_changed_is_said():
    assert "labels such as 0.0 are read as 0" in read(["0.0", "1.0", "1.0"]).notes
    assert any("2 labels with blanks" in note for note in read([" a", "a", "b", " b"]).notes)
    assert any("'Yes' (2 rows) and 'yes' (1 row" in note for note in read(["Yes", "Yes", "yes", "no"]).notes)
    assert read(["a", "b", "a"]).notes == ()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.random.default_rng(0).normal(size=100), r"'y' is continuous \(100 different numbers .* make classes of it: BINS"),
        ([f"{n / 7:.3f}".replace(".", ",") for n in range(60)], "is continuous"),
        (range(300), "is continuous"),
        (["3"] * 50, "all 50 labels are the same, y = '3'"),
        (["", None], "no row has a label"),
        ([f"user {n}" for n in range(100)], r"100 different labels in 100 rows, such as 'user .*ids or names"),
        ([f"city {n}" for n in range(600)] * 3, "has 600 classes, and at most 500"),
    ],
)  # fmt: skip
def test_no_classes(values, said):
    assert re.search(said, refused(list(values)))


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5] * 4, [0.5, 1.0, 1.5] * 10, list(range(60)) * 20, ["a", "b"] * 2])
def test_numbers_can_be_classes(values):
    assert read(values).labels.nunique() == len(set(values))


def test_the_command_for_bins_makes_a_table_that_can_be_compared(tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "the price": rng.normal(size=80)})
    path = tmp_path / "house prices.csv"
    frame.to_csv(path, index=False, sep=";", decimal=",")
    with pytest.raises(InputError) as error:
        TableTask(str(path), "the price").prepare()
    command = re.search(r"make classes of it: (python .*), then compare (.*)", str(error.value))
    shell = command[1].replace("python", sys.executable, 1)
    subprocess.run(shell, shell=True, check=True, cwd=tmp_path)
    task = TableTask(str(tmp_path / command[2]), "the price").load(rng)
    assert len(task.train.labels.class_names) == 4
    assert task.shape.features == 1
