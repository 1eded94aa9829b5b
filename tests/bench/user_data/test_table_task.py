"""A table becomes a task: the same rows, classes and split whichever file holds it, in one part what belongs together."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from column_program import run_column_code
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bench.errors import InputError
from bench.tasks.task import Task
from bench.user_data.column_values import MISSING_LABELS
from bench.user_data.source import find_source
from bench.user_data.table_file import write_frame
from bench.user_data.table_task import TableTask

RNG = np.random.default_rng(0)
N = 150
FRAME = pd.DataFrame(
    {
        "amount": RNG.normal(size=N).round(3),
        "city": RNG.choice(["Rome", "Oslo", "Köln"], N),
        "customer": RNG.integers(0, 40, N),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N), "D"),
        "fraud": RNG.choice(["no", "yes"], N, p=[0.8, 0.2]),
    }
)


def load(path: Path, seed: int = 0, **options) -> Task:
    return find_source(path, target="fraud", **options).load(np.random.default_rng(seed))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    FRAME.to_csv(tmp_path / "payments.csv", index=False)
    return tmp_path / "payments.csv"


def test_a_task_is_small_and_loads_in_another_process(path):
    spec = pickle.loads(pickle.dumps(find_source(path, target="fraud")))
    task = spec.load(np.random.default_rng(0))
    assert (spec.label, spec.kind, task.train.labels.class_names) == ("payments.csv", "rows", ("no", "yes"))
    assert spec.data_location == str(path)
    assert len(pickle.dumps(spec)) < 1000
    assert sum(len(part.labels) for part in (task.train, task.valid, task.test)) == N


def test_rows_are_those_of_the_file(path):
    lines = pd.concat([FRAME[:1], FRAME.assign(fraud="")[:1], FRAME[1:]])  # a row without a label
    lines.to_csv(path, index=False)
    task = load(path)
    assert task.rows is not None
    names = np.array(task.train.labels.class_names)
    for rows, part in ((task.rows.train, task.train), (task.rows.valid, task.valid), (task.rows.test, task.test)):
        assert list(lines["fraud"].iloc[rows]) == list(names[part.truth.numpy()])
        amounts = lines["amount"].iloc[rows].to_numpy()
        assert np.corrcoef(amounts, part.x[:, 0].numpy())[0, 1] == pytest.approx(1)
    assert "1 row without a label in 'fraud' left out" in task.notes


def test_the_code_of_a_table_reproduces_every_part(path):
    FRAME.assign(fraud=FRAME["fraud"].where(FRAME.index % 9 > 0)).to_csv(path, index=False, sep=";", decimal=",")
    spec = find_source(path, target="fraud")
    task = spec.load(np.random.default_rng(3))
    program = run_column_code(spec.prepare().plan)
    table = eval(spec.prepare().files[0].code, {"pd": pd, "path": path})
    prepared = program["prepare_columns"](table)
    fitted = program["make_preprocessing"]().fit(prepared.iloc[task.rows.train])
    for rows, part in ((task.rows.train, task.train), (task.rows.valid, task.valid), (task.rows.test, task.test)):
        np.testing.assert_array_equal(fitted.transform(prepared.iloc[rows]).astype(np.float32), part.x.numpy())
        assert list(table["fraud"].iloc[rows]) == [task.train.labels.class_names[c] for c in part.truth.tolist()]


def test_a_changed_file_is_read_again(path):
    before = load(path).fingerprint
    assert load(path).fingerprint == before
    FRAME.assign(amount=FRAME["amount"] + 1).to_csv(path, index=False)
    assert load(path).fingerprint != before


def test_a_changed_test_row_changes_nothing_in_training(path):
    spec = TableTask(str(path), "fraud")
    task = spec.load(np.random.default_rng(0))
    fitted = spec.prepare().plan.transformer().fit(spec.prepare().features.iloc[task.rows.train])
    changed = FRAME.copy()
    changed.loc[task.rows.test, ["amount", "customer"]] = 77
    changed.loc[task.rows.test, "city"] = "Oslo"
    changed.to_csv(path, index=False)
    other = spec.prepare()
    refitted = other.plan.transformer().fit(other.features.iloc[task.rows.train])
    for rows in (task.rows.train, task.rows.valid):
        np.testing.assert_array_equal(
            refitted.transform(other.features.iloc[rows]), fitted.transform(other.features.iloc[rows])
        )


def test_groups_stay_together_and_are_no_feature(path):
    task = load(path, group="customer")
    groups = [set(FRAME["customer"].iloc[rows]) for rows in (task.rows.train, task.rows.valid, task.rows.test)]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert any("'customer' (keeps the rows of a group in one part)" in note for note in task.notes)
    assert task.shape.features == load(path).shape.features - 1


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%b %d, %Y"])
def test_time_orders_the_parts(path, form):
    FRAME.assign(day=FRAME["day"].dt.strftime(form)).sample(frac=1, random_state=0).to_csv(path, index=False)
    table = pd.read_csv(path)
    days = pd.to_datetime(table["day"], format=form)
    task = load(path, time="day")
    assert days.iloc[task.rows.train].max() < days.iloc[task.rows.valid].min()
    assert days.iloc[task.rows.valid].max() < days.iloc[task.rows.test].min()


def test_files_of_validation_and_test(path, tmp_path):
    FRAME[100:].to_csv(tmp_path / "test.csv", index=False)
    FRAME[:100].to_csv(path, index=False)
    task = load(path, test=tmp_path / "test.csv")
    assert list(task.rows.test) == list(range(100, 150))
    assert sorted([*task.rows.train, *task.rows.valid]) == list(range(100))
    FRAME[80:100].to_parquet(tmp_path / "valid.parquet")
    task = load(path, valid=tmp_path / "valid.parquet", test=tmp_path / "test.csv")
    assert [len(task.rows.train), len(task.rows.valid), len(task.rows.test)] == [100, 20, 50]
    FRAME.drop(columns="city").to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError, match=r"test.csv: no column 'city', which payments.csv has"):
        load(path, test=tmp_path / "test.csv")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["new"], "the test part has 50 rows, all of class new, which training lacks, so nothing can be measured"),
        (["0", "1"], "training lacks all classes of the test part, which are 0, 1, and those of training are no, yes"),
    ],
)
def test_a_test_file_of_classes_that_training_lacks(path, tmp_path, labels, said):
    FRAME[:50].assign(fraud=labels * (50 // len(labels))).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError, match=said):
        load(path, test=tmp_path / "test.csv")
    # One new class among known ones is no error, and a note names it.
    FRAME[:50].assign(fraud=["new", *FRAME["fraud"][1:50]]).to_csv(tmp_path / "test.csv", index=False)
    assert any("train has no new" in note for note in load(path, test=tmp_path / "test.csv").notes)


def test_dropped_columns_and_copies_of_the_target(path):
    FRAME.assign(copy=FRAME["fraud"].map({"no": 0, "yes": 1})).to_csv(path, index=False)
    plan = find_source(path, target="fraud", drop=["city"]).prepare().plan
    assert {column.column: column.reason for column in plan.of_kind("not used")} == {
        "city": "left out with --drop",
        "copy": "a copy of 'fraud', the column to predict",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"target": ""},
            "--target COLUMN; the last columns are 'customer', 'day', 'fraud', the others 'amount', 'city'$",
        ),
        ({"target": "frud"}, "payments.csv: --target 'frud': .*did you mean 'fraud'"),
        ({"drop": ["fraud"]}, "--target and --drop both name the column 'fraud'"),
        ({"drop": ["amount", "city", "customer", "day"]}, "no column is left to predict from"),
        ({"drop": "nope"}, "--drop 'nope': there is no such column"),
        ({"group": "city", "time": "city"}, "--group and --time both name"),
        ({"time": "city"}, r"--time 'city': 150 of 150 rows with no time or date, such as '(Rome|Oslo|Köln)'"),
        ({"test": "nowhere.csv"}, "nowhere.csv: there is no such file"),
    ],
)
def test_refused_options(path, options, said):
    with pytest.raises(InputError, match=said) as error:
        find_source(path, **{"target": "fraud", **options}).load(np.random.default_rng(0))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".jsonl"])
def test_the_columns_are_listed_where_the_target_is_not_named(tmp_path, ending):
    frame = pd.DataFrame(np.arange(90_000.0).reshape(3000, 30)).add_prefix("x")
    path = tmp_path / f"wide{ending}"
    if ending == ".parquet":
        frame.to_parquet(path)
    elif ending == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    others = ", ".join(f"'x{place}'" for place in range(7))
    with pytest.raises(InputError, match=f"columns are 'x27', 'x28', 'x29', the others {others} and 20 more$"):
        find_source(path)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        find_source(tmp_path / "nowhere.csv", target="y")


def test_a_class_with_one_item_is_in_training_and_equal_rows_are_in_one_part(path):
    twice = pd.concat([FRAME, FRAME[:20], FRAME[:1].assign(fraud="perhaps", amount=77.0)])
    twice.to_csv(path, index=False)
    task = load(path)
    assert task.train.labels.counts().values.tolist()[2] == 1
    parts = {row: part for part in range(3) for row in (task.rows.train, task.rows.valid, task.rows.test)[part]}
    assert all(parts[row] == parts[N + row] for row in range(20))
    assert any("40 of 171 rows are identical to another row" in note for note in task.notes)


# pandas does not quote a lone carriage return, so that no reader can tell it from the end of a line.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)
CLASSES = st.lists(
    WORDS.filter(lambda text: text.strip() not in MISSING_LABELS), min_size=2, max_size=4, unique_by=str.strip
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(24, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes = draw(CLASSES)
    columns = {
        "floats": rng.normal(size=rows) * 10.0 ** rng.integers(-5, 12),
        "ints": rng.integers(-5, 5, rows),
        "flags": rng.random(rows) < 0.5,
        "days": pd.Timestamp("2000-01-01") + pd.to_timedelta(rng.integers(0, 10**9, rows), "s"),
        "words": rng.choice(np.array(draw(st.lists(WORDS, min_size=1, max_size=5)), dtype=object), rows),
        "gaps": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
        "the target": np.array([classes[row % len(classes)] for row in range(rows)], dtype=object),
    }
    names = draw(st.permutations(list(columns)))
    return pd.DataFrame({name: columns[name] for name in names})


@given(
    frame=frames(),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([0, 1, 2]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    index=st.booleans(),
)
@settings(max_examples=12, deadline=None, phases=[Phase.reuse, Phase.generate])
def test_whatever_pandas_writes_as_text_is_the_task_of_the_frame(
    tmp_path_factory, frame, separator, end, quoting, encoding, index
):
    directory = tmp_path_factory.mktemp("frames")
    text = io.StringIO()
    frame.to_csv(text, sep=separator, lineterminator=end, quoting=quoting, index=index)
    (directory / "f.csv").write_bytes(text.getvalue().encode(encoding))
    write_frame(frame, directory / "f.parquet")
    tasks = []
    for name in ("f.csv", "f.parquet"):
        try:
            tasks.append(find_source(directory / name, target="the target").load(np.random.default_rng(0)))
        except InputError as error:
            tasks.append(str(error).replace(str(directory), "").split(":", 1)[1].split("python")[0])
    from_text, from_frame = tasks
    if isinstance(from_text, str) or isinstance(from_frame, str):
        assert from_text == from_frame
        return
    assert from_text.train.labels.class_names == from_frame.train.labels.class_names
    assert set(from_text.train.labels.class_names) == {label.strip() for label in frame["the target"]}
    for part in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(from_text.rows, part), getattr(from_frame.rows, part))
        torch.testing.assert_close(getattr(from_text, part).x, getattr(from_frame, part).x)


def test_texts_of_test_are_those_of_its_rows_on_one_line_and_cut(tmp_path: Path) -> None:
    texts = [f"payment {number} to\n{'a shop ' * (number % 50)}" for number in range(N)]
    FRAME.assign(purpose=texts).to_csv(tmp_path / "texts.csv", index=False)
    task = load(tmp_path / "texts.csv", text="purpose")
    assert task.rows is not None
    assert task.test_texts is not None
    for row, text in zip(task.rows.test, task.test_texts, strict=True):
        whole = " ".join(texts[row].split())
        assert text == whole or (text.endswith("…") and whole.startswith(text[:-1].strip()))
        assert len(text) <= 200
    assert load(tmp_path / "texts.csv", drop=("purpose",)).test_texts is None
