"""A large Parquet file, read by chunk, becomes the task that the same rows become when they are read at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bench.errors import InputError
from bench.tasks import row_chunks
from bench.tasks.task import Task
from bench.user_data import large_table, table_task
from bench.user_data.large_table import LargeTable
from bench.user_data.source import find_source
from bench.user_data.table_task import TableTask

N = 700
RNG = np.random.default_rng(0)


def make_frame(rows: int = N) -> pd.DataFrame:
    """A table with every kind of column, missing values, rows without a label, and rows that are alike."""
    frame = pd.DataFrame(
        {
            "amount": RNG.normal(size=rows).round(3),
            "count": RNG.integers(0, 5000, rows),
            "code": RNG.integers(0, 4, rows),
            "flag": RNG.random(rows) < 0.3,
            "city": RNG.choice(["Rome", "Oslo", "Köln", None], rows),
            "kind": pd.Categorical(RNG.choice(["a", "b"], rows)),
            "moment": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 9000, rows), "h"),
            "day": [pd.Timestamp("2024-01-01").date() + pd.Timedelta(days=int(d)) for d in RNG.integers(0, 300, rows)],
            "customer": RNG.integers(0, rows // 4, rows),
            "id": np.arange(rows),
            "fraud": RNG.choice(["no", "yes", "maybe", None], rows, p=[0.7, 0.15, 0.1, 0.05]),
        }
    )
    frame.loc[RNG.random(rows) < 0.1, ["amount", "moment"]] = None
    frame["copy"] = frame["fraud"].map({"no": 3, "yes": 1, "maybe": 2})
    frame.iloc[-20:, :-3] = frame.iloc[:20, :-3]
    return frame


@pytest.fixture
def read_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of more than 100 rows are large, and chunks have 64 rows."""
    for module in (large_table, table_task):
        monkeypatch.setattr(module, "MOST_ROWS", 100)
    monkeypatch.setattr(large_table, "ROWS_OF_CHUNK", 64)


def load(path: Path, **options: str) -> Task:
    return find_source(path, target="fraud", **options).load(np.random.default_rng(0))


@pytest.mark.parametrize(
    "options", [{}, {"group": "customer"}, {"time": "moment", "drop": ["day"]}, {"text": "city"}, {"files": True}]
)
def test_a_large_table_becomes_the_same_task(tmp_path, request, options):
    frame, path = make_frame(), tmp_path / "payments.parquet"
    frame = frame.dropna(subset="moment", ignore_index=True) if "time" in options else frame
    options = dict(options)
    if options.pop("files", False):
        make_frame().to_parquet(tmp_path / "valid.parquet")
        make_frame(90).to_parquet(tmp_path / "test.parquet")  # one that is small beside a large one
        options = {"valid": tmp_path / "valid.parquet", "test": tmp_path / "test.parquet"}
    frame.to_parquet(path)
    at_once = load(path, **options)
    table_task._prepare.cache_clear()
    request.getfixturevalue("read_large")
    by_chunk = load(path, **options)
    spec = find_source(path, target="fraud", **options)
    assert isinstance(spec, TableTask)
    assert isinstance(spec.prepare().files[0], LargeTable)
    assert not isinstance(spec.prepare().features, pd.DataFrame)
    assert (by_chunk.fingerprint, by_chunk.notes, by_chunk.columns) == (
        at_once.fingerprint,
        at_once.notes,
        at_once.columns,
    )
    for part in ("train", "valid", "test"):
        torch.testing.assert_close(getattr(by_chunk, part).x, getattr(at_once, part).x, rtol=0, atol=1e-6)
        assert torch.equal(getattr(by_chunk, part).truth, getattr(at_once, part).truth)
        assert np.array_equal(getattr(by_chunk.rows, part), getattr(at_once.rows, part))


def test_preprocessing_is_fitted_to_rows_at_equal_distances_and_a_note_says_so(tmp_path, monkeypatch, read_large):
    path = tmp_path / "payments.parquet"
    make_frame().to_parquet(path)
    monkeypatch.setattr(row_chunks, "MOST_FITTED", 150)
    task = load(path)
    train = task.rows.train
    assert any(f"fitted on {len(train[::3])} of the {len(train)} training rows" in note for note in task.notes)
    amounts = pd.read_parquet(path)["amount"].iloc[train[::3]]
    filled = amounts.fillna(amounts.median())
    expected = (pd.read_parquet(path)["amount"].iloc[train].fillna(amounts.median()) - filled.mean()) / filled.std(
        ddof=0
    )
    np.testing.assert_allclose(task.train.x[:, 0], expected, atol=1e-5)


def test_the_index_of_a_frame_is_a_column_and_the_code_that_reads_it_says_so(tmp_path, read_large):
    for rows in (90, 700):  # one that is read at once, and a large one
        path = tmp_path / f"{rows}.parquet"
        make_frame(rows).sort_values("count").rename_axis("place").to_parquet(path)
        table = find_source(path, target="fraud").prepare().files[0]
        assert "place" in table.names
        read = eval(table.code, {"pd": pd, "path": path})
        pd.testing.assert_series_equal(read["place"], table.column("place"))
        make_frame(rows).sort_values("count").to_parquet(path)
        assert "index" in find_source(path, target="fraud").prepare().files[0].names


def test_what_is_wrong_with_a_large_file_is_said_in_a_line(tmp_path, read_large):
    path = tmp_path / "payments.parquet"
    make_frame().to_parquet(path)
    with pytest.raises(InputError, match="--target 'frauds!x': there is no such column; did you mean 'fraud'"):
        find_source(path, target="frauds!x")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="the Parquet file is cut off or damaged"):
        find_source(path, target="fraud")
    damaged = bytearray(content)
    damaged[100:2000] = bytes(1900)  # the end, which says what is where, is whole
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="the Parquet file is cut off or damaged"):
        load(path)
