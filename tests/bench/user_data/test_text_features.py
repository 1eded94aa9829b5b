"""Texts become numbers that separate them, the same in the generated script, with any number of threads and for any texts."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from bench.errors import InputError
from bench.user_data.text_features import LONG_TEXT, code, note_texts, read_texts, text_transformer

GOOD = ["on time and friendly", "friendly staff", "quick and friendly", "so quick", "on time", "staff was quick"]
BAD = ["late again", "rude and late", "never again!", "so rude", "late!", "staff was rude"]
TEXTS = [*GOOD, *BAD]


def test_a_linear_model_tells_classes_apart_by_words_that_it_saw():
    x = (transformer := text_transformer()).fit_transform(TEXTS)
    model = LogisticRegression().fit(x, [0] * len(GOOD) + [1] * len(BAD))
    new = transformer.transform(["friendly and on time", "rude again, late"])
    assert model.predict(new).tolist() == [0, 1]


def test_a_scripts_source_gives_the_same_numbers_without_bench(tmp_path: Path):
    script = f"""{code()}
import sys, numpy
assert not any(name.split(".")[0] in ("bench", "strategies") for name in sys.modules)
numpy.save("x.npy", text_transformer().fit({TEXTS!r}).transform({[*TEXTS, "new word", ""]!r}))
"""
    assert "bench" not in code()
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    here = text_transformer().fit(TEXTS).transform([*TEXTS, "new word", ""])
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), here)


def test_numbers_do_not_depend_on_threads_and_survive_pickling():
    words = [f"w{number} w{number + 1}" for number in range(300)]
    with threadpool_limits(2):
        two = text_transformer().fit(words)
    with threadpool_limits(1):
        one = text_transformer().fit(words)
    expected = one.transform(words)
    np.testing.assert_allclose(two.transform(words), expected, atol=1e-4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).transform(words), expected)
    assert expected.shape == (300, 256)
    assert expected.dtype == np.float32


TEXT = st.text(alphabet="ab !?\n今天สว'é🙂\x00", max_size=12)


@given(st.lists(TEXT, min_size=2, max_size=6).filter(lambda texts: len({text.strip() for text in texts}) > 1), TEXT)
@settings(max_examples=4, deadline=None)
@pytest.mark.filterwarnings("default::RuntimeWarning")
def test_any_texts_give_finite_rows_of_length_16_or_zero(texts: list[str], new: str):
    x = (transformer := text_transformer()).fit_transform(texts)
    rows = np.vstack([x, transformer.transform([new])])
    assert rows.shape == (len(texts) + 1, 256)
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all(np.isclose(lengths, 16, rtol=1e-4) | (lengths < 1e-3))


def test_every_form_of_a_column_is_read():
    expected = ["late", "", "7"]
    for column in (
        ["late", None, 7],
        np.array(["late", None, 7], dtype=object),
        np.array([["late"], [np.nan], [7]], dtype=object),
        pd.Series(["late", None, "7"], index=[5, 9, 2]),
        pd.Series(["late", pd.NA, "7"], dtype="category"),
        pd.DataFrame({"review": ["late", np.nan, 7]}),
    ):
        assert read_texts(column) == expected


def test_scripts_without_spaces_are_told_apart_by_characters():
    x = text_transformer().fit_transform(["今天天气很好", "今天天气不好", "明年再说吧"]) / 16
    similar, different = float(x[0] @ x[1]), float(x[0] @ x[2])
    assert similar > 0.3 > different


def test_what_is_unusual_is_noted():
    assert note_texts(pd.Series(["late", "on time"]), "t") == []
    assert note_texts(pd.Series(["late", " ", None]), "t") == [
        "2 of 3 texts are empty or missing: their features are all 0"
    ]
    assert note_texts(pd.Series(["late", "x" * (LONG_TEXT + 1)]), "t") == [
        "the longest text, in row 2, has 100,001 letters"
    ]
    with pytest.raises(InputError, match="--text t: every text is empty; choose another column"):
        note_texts(pd.Series(["", " "]), "t")
    with pytest.raises(
        InputError, match=r"--text t: the column holds values such as .* of the type list, which are no"
    ):
        note_texts(pd.Series(["late", ["on", "time"]]), "t")
