"""Rows beyond memory are refused before they are loaded, with a number of rows that fits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.comparison.table_memory import choose_workers, measure_need
from bench.errors import InputError
from bench.tasks.digits_lt import DigitsLT
from bench.user_data.source import find_source


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, rows = np.random.default_rng(0), 60_000
    frame = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcd")).assign(
        shop=rng.choice(["x", "y", "z"], rows), fraud=rng.choice(["no", "yes"], rows, p=[0.9, 0.1])
    )
    frame.loc[::9, "a"] = None
    path = tmp_path_factory.mktemp("data") / "t.parquet"
    frame.to_parquet(path)
    return path


def test_the_size_is_that_of_the_loaded_task(path):
    spec = find_source(path, target="fraud")
    need, task = measure_need(spec), spec.load(np.random.default_rng(0))
    assert (need.rows, need.numbers) == (60_000, task.shape.features)
    pooled = 2 * int(task.train.labels.counts().values.max())  # what oversampling to equal classes leaves
    assert need.pooled_share * need.rows == pytest.approx(pooled, rel=0.01)


def test_workers_are_as_many_as_fit_and_a_note_says_so(path):
    spec = find_source(path, target="fraud")
    need = measure_need(spec)
    assert choose_workers(spec, 4, None) == (4, "")
    assert choose_workers(spec, 4, int(need.total(4)) + 1) == (4, "")
    workers, note = choose_workers(spec, 4, int(need.total(2)) + 1)
    assert workers == 2
    assert note.startswith("2 runs at a time, not 4: 60,000 rows of 8 numbers would need ")


def test_rows_beyond_memory_are_refused_with_a_number_that_fits(path):
    spec = find_source(path, target="fraud")
    available = 950_000_000
    assert measure_need(spec).total(1) > available
    with pytest.raises(
        InputError, match=r"60,000 rows of 8 numbers need about 1\.0 GB of memory, and 0\.9 GB are free"
    ) as refused:
        choose_workers(spec, 2, available)
    (count,) = re.findall(r"--sample-by-class (\d+)", str(refused.value))
    sampled = find_source(path, target="fraud", sample_by_class=int(count))
    assert choose_workers(sampled, 1, available)[0] == 1
    with pytest.raises(InputError, match="free memory, or use a larger machine"):
        choose_workers(spec, 2, 900_000_001)


def test_other_tasks_have_all_workers():
    assert choose_workers(DigitsLT(50), 3, 1) == (3, "")
