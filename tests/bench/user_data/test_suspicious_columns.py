"""Columns that give the target away are named, and no column of tables without leaks is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from bench.user_data.suspicious_columns import explain_id, find_copies, find_leaks
from bench.user_data.table_task import TableTask

TABLES = Path(__file__).parents[4] / "shared" / "data" / "tables"
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason=f"{TABLES} does not exist")

RNG = np.random.default_rng(0)
LABELS = np.where(RNG.random(2000) < 0.05, "yes", "no")
YES = LABELS == "yes"


def leaks(**columns) -> str:
    frame = pd.DataFrame({"noise": RNG.normal(size=len(LABELS)), **columns})
    return " ".join(find_leaks(frame, LABELS, np.arange(len(frame))))


def test_a_column_that_tells_all_classes_apart():
    assert "'paid_back' alone tells the classes apart" in leaks(paid_back=YES + RNG.normal(scale=0.1, size=len(YES)))
    assert leaks(weak=YES + RNG.normal(scale=0.5, size=len(YES))) == ""


def test_a_rare_flag_and_a_category_that_come_with_one_class():
    flag = (YES & (RNG.random(len(YES)) < 0.4)).astype(float)
    said = leaks(code=flag)
    assert "100% of the" in said
    assert "with 'code' = 1 are of class yes" in said
    assert "--drop code" in said
    state = pd.Series(np.where(flag == 1, "chargeback", RNG.choice(["open", "closed"], len(YES)))).astype(object)
    assert "with 'state' = chargeback are of class yes" in leaks(state=state)


def test_a_column_that_is_filled_in_for_one_class_alone():
    amount = np.where(YES & (RNG.random(len(YES)) < 0.5), RNG.normal(size=len(YES)), np.nan)
    assert "with 'refund' = given are of class yes" in leaks(refund=amount)


def test_a_date_can_give_the_target_away():
    closed = pd.Series(
        pd.Timestamp("2024-01-01") + pd.to_timedelta(np.where(YES, 900, 0) + RNG.integers(0, 99, len(YES)), "D")
    )
    assert "'closed' alone tells the classes apart" in leaks(closed=closed)


def test_the_frequent_class_is_not_given_away():
    assert leaks(new_customer=(~YES & (RNG.random(len(YES)) < 0.4)).astype(float)) == ""


def test_flags_next_to_leaks_are_named():
    flags = {f"mode{n}": (YES & (RNG.random(len(YES)) < 0.4)).astype(float) for n in range(2)}
    rare = (RNG.random(len(YES)) < 0.01).astype(float)
    said = leaks(**flags, mode2=rare, height=RNG.normal(size=len(YES)), other=rare)
    assert "--drop mode0 --drop mode1 --drop mode2 ('mode2' is a rare flag next to them)" in said


def test_copies_are_one_value_per_class_in_every_row():
    three = np.array(["a", "b", "c"] * 10)
    frame = pd.DataFrame({"code": pd.Series(three).map({"a": 7.0, "b": np.nan, "c": 1.0}), "two": (three == "a") * 1.0})
    frame["nearly"] = frame["code"]
    frame.loc[0, "nearly"] = 1.0
    assert find_copies(frame.items(), three) == ["code"]


@pytest.mark.parametrize(
    ("name", "values", "is_id"),
    [
        ("row", range(100), True),
        ("row", range(5000, 1000, -7), True),
        ("n", RNG.permutation(150)[:100], True),
        ("customer_id", RNG.choice(10**6, 50, replace=False), True),
        ("salary", RNG.choice(10**6, 50, replace=False), False),
        ("name", [f"M{n}" for n in range(100)], True),
        ("age", [20, 30] * 50, False),
        ("few", range(5), False),
    ],
)  # fmt: skip
def test_ids(name, values, is_id):
    assert bool(explain_id(name, pd.Series(values))) == is_id


@pytest.mark.parametrize(
    "load", [load_breast_cancer, load_wine, load_digits, load_iris], ids=lambda load: load.__name__
)
def test_no_false_alarm_on_the_tables_of_scikit_learn(load, tmp_path):
    frame = load(as_frame=True).frame
    frame.to_csv(tmp_path / "t.csv", index=False)
    task = TableTask(str(tmp_path / "t.csv"), "target")
    assert not [note for note in task.load(np.random.default_rng(0)).notes if "give the target away" in note]
    plan = task.prepare().plan
    constant = [name for name in frame if frame[name].nunique() == 1]
    assert [column.column for column in plan.of_kind("not used")] == constant


@needs_tables
def test_the_leaks_and_ids_of_machine_failures_are_named():
    spec = TableTask(str(TABLES / "ai4i2020.csv"), "machine failure")
    for seed in range(3):
        (note,) = [note for note in spec.load(np.random.default_rng(seed)).notes if "give the target away" in note]
        assert set(note.split("leave them out: ")[1].replace("--drop ", "").split(" (")[0].split()) == {
            *("TWF", "HDF", "PWF", "OSF", "RNF")
        }
    assert [column.column for column in spec.prepare().plan.of_kind("not used")] == ["UDI", "Product ID"]
    dropped = TableTask(spec.path, spec.target, drop=("TWF", "HDF", "PWF", "OSF", "RNF")).load(np.random.default_rng(0))
    assert dropped.shape.features == 5 + 3
    assert not [note for note in dropped.notes if "give the target away" in note]


@needs_tables
def test_no_false_alarm_on_online_shoppers():
    spec = TableTask(str(TABLES / "online_shoppers_intention.csv"), "Revenue")
    notes = spec.load(np.random.default_rng(0)).notes
    assert not [note for note in notes if "give the target away" in note]
    assert [note for note in notes if "rows are identical to another row" in note]
    assert spec.prepare().plan.of_kind("not used") == []
