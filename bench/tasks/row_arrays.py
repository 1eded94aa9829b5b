"""Arrays and data frames of rows: their labels, groups and times, which rows are identical, and a hash of their content."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from bench.tasks.splitting import Ids

_MANY_CLASSES = 20
"""Distinct labels up to which a table may have nearly as many of them as rows."""


def read_labels(y: Any, names: Sequence[str] | None = None) -> tuple[Ids, tuple[str, ...]]:
    """Return the class id of each row, and the names of the classes that occur, ordered by their values.

    A label is text, a whole number (1.0 is 1) or a truth value; with `names`, it is the place of its name.
    Raises an InputError where a label is missing or cannot be a class, and where there are fewer than two classes.

    >>> ids, names = read_labels([1.0, 0.0, 1.0])
    >>> ids.tolist(), names
    ([1, 0, 1], ('0', '1'))
    """
    import pandas as pd

    y = np.asarray(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        one_hot = "; if its columns are classes, give y.argmax(axis=1)" if y.ndim == 2 else ""
        raise InputError(f"y has the shape {y.shape}; expected one label per row, (N,){one_hot}")
    refuse_missing(y, "y", "leave those rows out, or give them a class of their own")
    ids, values = pd.factorize(y)
    if values.dtype.kind in "fc":
        values = _whole_numbers(values)
    if len(values) > max(_MANY_CLASSES, len(y) / 2):
        raise InputError(
            f"y has {len(values):,} different values in {len(y):,} rows, too many for classes; give the column of classes, or "
            "cut a quantity into bins: numpy.digitize(y, [low, high])"
        )
    texts = [_as_text(value) for value in values.tolist()]
    if names is not None:
        wrong = [text for text in texts if not (text.isdecimal() and int(text) < len(names))]
        if wrong:
            raise InputError(
                f"y holds {wrong[0]!r}, but with {len(names)} names a label is a whole number from 0 to {len(names) - 1}; "
                "correct y, or leave names out"
            )
        texts = [str(names[int(text)]) for text in texts]
    keys = values.tolist() if values.dtype.kind in "iu" else texts
    order = sorted(range(len(texts)), key=lambda place: keys[place])
    found = list(dict.fromkeys(texts[place] for place in order))
    if len(found) < 2:
        only = f"every label in y is {found[0]!r}" if found else "y has no label"
        raise InputError(f"{only}; with fewer than two classes there is nothing to learn")
    place_of = {text: place for place, text in enumerate(found)}
    return np.array([place_of[text] for text in texts], np.int64)[ids], tuple(found)


def refuse_missing(values: NDArray[Any], name: str, fix: str) -> None:
    """Raise an InputError if values `(N,)` are NaN, None or empty text."""
    import pandas as pd

    missing = pd.isna(values)
    if values.dtype.kind in "OUST":
        missing |= values == values.dtype.type("") if values.dtype.kind != "O" else [value == "" for value in values]
    if missing.any():
        raise InputError(
            f"{int(missing.sum()):,} of {len(values):,} values in {name} are missing, the first in row {int(missing.argmax())}, "
            f"counted from 0; {fix}"
        )


def _whole_numbers(values: NDArray[Any]) -> Ids:
    fractions = values[values != np.round(values.real)]
    if len(fractions) or not np.isfinite(values).all():
        odd = fractions[0] if len(fractions) else values[~np.isfinite(values)][0]
        raise InputError(
            f"y holds numbers such as {odd}, and a class is a whole number or text; cut a quantity into bins: "
            "numpy.digitize(y, [low, high])"
        )
    return values.real.astype(np.int64)


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_groups(groups: Any, rows: int) -> Ids:
    """Return the group of each row as an id; a row without one is a group of its own.

    >>> read_groups(["a", None, "a", None], 4).tolist()
    [0, 1, 0, 2]
    """
    import pandas as pd

    ids, values = pd.factorize(_one_per_row(groups, "groups", rows))
    ids = ids.astype(np.int64)
    alone = np.flatnonzero(ids < 0)
    ids[alone] = len(values) + np.arange(len(alone))
    return pd.factorize(ids)[0].astype(np.int64)


def read_times(time: Any, rows: int) -> NDArray[Any]:
    """Return the times `(N,)` as numbers or datetimes; text must be ISO 8601, such as 2024-03-05 or 2024-03-05T14:30.

    >>> read_times(["2024-03-05", "2023-12-31"], 2).astype("datetime64[D]").tolist()
    [datetime.date(2024, 3, 5), datetime.date(2023, 12, 31)]
    """
    import pandas as pd

    series = pd.Series(_one_per_row(time, "time", rows))
    refuse_missing(series.to_numpy(), "time", "fill them in, or leave those rows out")
    if pd.api.types.is_bool_dtype(series) or not pd.api.types.is_numeric_dtype(series):
        try:
            series = pd.to_datetime(series, format="ISO8601", utc=True).dt.tz_localize(None)
        except (ValueError, TypeError):
            raise InputError(
                f"time holds {series.iloc[0]!r}, which cannot be put in order; give numbers or ISO dates, such as 2024-03-05"
            ) from None
    return series.to_numpy()


def _one_per_row(values: Any, name: str, rows: int) -> Any:
    shape = np.shape(values)
    if shape != (rows,):
        raise InputError(f"{name} has the shape {shape}; expected one value per row, ({rows},)")
    return values if hasattr(values, "dtype") else np.asarray(values, dtype=object)


def hash_rows(x: Any) -> NDArray[np.uint64]:
    """Return a hash of each row of an array, a sparse matrix or a data frame: equal rows have equal hashes.

    >>> hash_rows(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]])).tolist().count(hash_rows(np.array([[0.0, 1.0]])).item())
    2
    """
    import pandas as pd
    from pandas.util import hash_array, hash_pandas_object
    from scipy.sparse import csr_array, issparse

    if isinstance(x, pd.DataFrame | pd.Series):
        return np.asarray(hash_pandas_object(x, index=False), np.uint64)
    if issparse(x):
        x = csr_array(x)
        x.sum_duplicates()
        x.eliminate_zeros()
        mixed = _mix(hash_array(x.data), hash_array(x.indices))
        sums = np.concatenate([np.zeros(1, np.uint64), mixed.cumsum(dtype=np.uint64)])  # beyond 2^64 it begins anew
        return sums[x.indptr[1:]] - sums[x.indptr[:-1]]  # type: ignore[no-any-return]
    x = np.asarray(x)
    columns = x.reshape(len(x), -1)
    hashes = np.zeros(len(x), np.uint64)
    for column in columns.T:
        # -0.0 becomes 0.0, which has other bytes
        hashes = _mix(hashes, hash_array(column + 0.0 if column.dtype.kind == "f" else np.ascontiguousarray(column)))
    return hashes


def _mix(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = (first ^ (first >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15) + second
    return (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


def count_repeats(twins: NDArray[Any], classes: Ids) -> tuple[int, int]:
    """Return how many rows are identical to another one, and how many of these are identical to one of another class.

    >>> count_repeats(np.array([7, 7, 8, 9, 9]), np.array([0, 0, 1, 0, 1]))
    (4, 2)
    """
    _, first, twin, counts = np.unique(twins, return_index=True, return_inverse=True, return_counts=True)
    contradicts = np.zeros(len(counts), bool)
    contradicts[twin[classes != classes[first][twin]]] = True
    return int(counts[counts > 1].sum()), int(counts[contradicts].sum())


def take(x: Any, rows: Ids) -> Any:
    """Return rows of an array, a sparse matrix or a data frame."""
    if hasattr(x, "iloc"):
        return x.iloc[rows]
    return x.tocsr()[rows] if hasattr(x, "tocsr") else x[rows]


def to_floats(x: Any, name: str, fix: str) -> NDArray[np.float32]:
    """Return rows as numbers `(N, F)`, float32; an InputError says which of them are none, or are not finite, and the fix."""
    x = x.toarray() if hasattr(x, "toarray") else x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
    if x.ndim != 2 or not x.shape[1]:
        flat = f"; give x.reshape({len(x)}, -1)" if x.size and x.ndim != 2 else ""
        raise InputError(f"{name} has the shape {x.shape}; expected rows of numbers, (N, F){flat}")
    if x.dtype.kind not in "biuf":
        raise InputError(f"{name} holds values of type {x.dtype}; expected numbers; {fix}")
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(x, dtype=np.float32)
    if not (finite := np.isfinite(floats)).all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{name} holds {x[row, column]} in row {row}, column {column}, counted from 0 (in all, {np.sum(~finite):,} values "
            f"are NaN, infinite or beyond float32); {fix}"
        )
    return floats


def hash_content(*content: Any) -> str:
    """Return a hash of arrays and of other values; in these, addresses of objects are left out, which change."""
    digest = hashlib.sha256()
    for value in content:
        if isinstance(value, np.ndarray):
            digest.update(np.ascontiguousarray(value).tobytes())
        else:
            # scikit-learn shortens long texts unless told not to.
            text = value.__repr__(N_CHAR_MAX=sys.maxsize) if hasattr(value, "get_params") else repr(value)
            digest.update(re.sub(r" at 0x[0-9a-f]+", "", text).encode())
        digest.update(b"\x1d")
    return digest.hexdigest()[:16]
