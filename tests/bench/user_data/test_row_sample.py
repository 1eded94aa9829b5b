"""A sample by class keeps the share of every class, and says what it left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import InputError
from bench.user_data.row_sample import FEWEST, sample_by_class
from bench.user_data.source import find_source


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=6), st.integers(1, 4000))
def test_every_class_keeps_its_share_or_a_few_rows(counts, count):
    labels = pd.Series(np.repeat([f"class {number}" for number in range(len(counts))], counts), dtype="str")
    labels = pd.concat([labels, pd.Series([None] * 7, dtype="str")], ignore_index=True)
    chosen = sample_by_class(labels, count)
    assert not chosen[-7:].any()
    share = min(1, count / sum(counts))
    kept = [int(chosen[labels == f"class {number}"].sum()) for number in range(len(counts))]
    for have, got in zip(counts, kept, strict=True):
        assert got == have if have <= FEWEST else got == max(FEWEST, got)
        assert abs(got - share * have) <= 0.5 or got == min(have, FEWEST)
    assert np.array_equal(chosen, sample_by_class(labels, count))


def test_a_sampled_table_says_how_many_rows_are_used(tmp_path):
    path, rng = tmp_path / "t.csv", np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=3000), "y": rng.choice(["no", "yes"], 3000, p=[0.9, 0.1])})
    frame.to_csv(path, index=False)
    task = find_source(path, target="y", sample_by_class=500).load(np.random.default_rng(0))
    used = np.concatenate([task.rows.train, task.rows.valid, task.rows.test])
    assert len(set(used)) == len(used) == pytest.approx(500, abs=1)
    assert frame["y"].iloc[used].value_counts(normalize=True)["yes"] == pytest.approx(
        (frame["y"] == "yes").mean(), abs=0.01
    )
    assert any(f"{len(used)} of 3,000 rows are used, chosen at random" in note for note in task.notes)
    all_rows = find_source(path, target="y", sample_by_class=10_000).load(np.random.default_rng(0)).rows
    assert all_rows.train.size + all_rows.valid.size + all_rows.test.size == 3000


def test_a_sample_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "1,b\n2,c\n" * 60)
    with pytest.raises(InputError, match="--sample-by-class 50: give a number of rows, 100 at least"):
        find_source(tmp_path / "t.csv", target="y", sample_by_class=50)
    (tmp_path / "train.txt").write_text("EU B-ORG\nrejects O\n\n" * 30)
    with pytest.raises(InputError, match="is no table in a file, and --sample-by-class is for these"):
        find_source(tmp_path / "train.txt", sample_by_class=500)
