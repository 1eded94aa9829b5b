"""Hashed word n-grams: a column of texts becomes a few hundred numbers, which every learner can read."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from bench.errors import InputError

LONG_TEXT = 100_000
"""Letters from which a note asks whether a text is a single one."""
_IMPORTS = """from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits
"""


class FixedWidthSVD(TruncatedSVD):  # type: ignore[misc]
    """A truncated SVD whose numbers of rows and threads do not show: it has all its columns, and directions of equal weight
    do not turn with the number of threads."""

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        with threadpool_limits(1):
            directions = super().fit_transform(X)
        missing = self.n_components - directions.shape[1]
        self.components_: Any = np.pad(self.components_, ((0, missing), (0, 0)))
        return np.pad(directions, ((0, 0), (0, missing)))


def text_transformer() -> Pipeline:
    """Return an unfitted transformer of texts into 256 numbers: the directions in which their words differ most.

    Words, signs and pairs of neighbours are hashed into 65,536 columns, weighted by TF-IDF and projected by a truncated SVD
    (latent semantic analysis). Characters of scripts that leave no space between words count as words. The last
    numbers are 0 where there are fewer than 256 texts. Rows have length 16, so that a number is about 1; a text without a known
    word is 0.

    >>> texts = ["late again", "on time", "late, very late!", ""]
    >>> text_transformer().fit_transform(texts).shape
    (4, 256)
    """
    from functools import partial

    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, Normalizer

    # Thai to Burmese, Khmer, and Chinese, Japanese and Korean ideographs and kana
    unspaced = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff"
    ngrams = HashingVectorizer(
        token_pattern=rf"[{unspaced}]|[^\W{unspaced}]+|[^\w\s]",
        ngram_range=(1, 2),
        n_features=2**16,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    weights, directions = TfidfTransformer(sublinear_tf=True), FixedWidthSVD(256, n_iter=2, random_state=0)
    scale = FunctionTransformer(partial(np.multiply, 16.0))
    return make_pipeline(FunctionTransformer(read_texts), ngrams, weights, directions, Normalizer(), scale)


def read_texts(column: Any) -> list[str]:
    """Return the texts of a column, be it a list, an array, a series or a frame of one column; a missing text is empty.

    >>> read_texts(["late", None, 7])
    ['late', '', '7']
    """
    values = np.ravel(np.asarray(column, dtype=object))
    return ["" if missing else str(value) for value, missing in zip(values, pd.isna(values), strict=True)]


def code() -> str:
    """Return Python source, with its imports, that defines `text_transformer` as it is here.

    >>> names = {}
    >>> exec(code(), names)
    >>> names["text_transformer"]().fit_transform(["late", "on time"]).shape
    (2, 256)
    """
    parts = [inspect.getsource(part) for part in (FixedWidthSVD, read_texts, text_transformer)]
    return "\n\n".join([_IMPORTS, *parts]).replace("  # type: ignore[misc]", "")


def note_texts(column: pd.Series[Any], name: str) -> list[str]:
    """Return notes on what is unusual about a column of texts; an InputError where they are no texts, or none has a word."""
    if odd := next((value for value in column if isinstance(value, list | dict | tuple | bytes | np.ndarray)), None):
        raise InputError(
            f"--text {name}: the column holds values such as {str(odd)[:40]!r} of the type {type(odd).__name__}, which are no "
            "texts; make texts of them, or choose another column"
        )
    lengths = [len(text.strip()) for text in read_texts(column)]
    if not any(lengths):
        raise InputError(f"--text {name}: every text is empty; choose another column")
    notes = []
    if empty := lengths.count(0):
        notes.append(f"{empty:,} of {len(lengths):,} texts are empty or missing: their features are all 0")
    if (longest := max(lengths)) > LONG_TEXT:
        notes.append(f"the longest text, in row {lengths.index(longest) + 1:,}, has {longest:,} letters")
    return notes
