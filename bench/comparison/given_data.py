"""Data that a Python program gives: written to the results directory, from which worker processes read it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

DirectoryFor = Callable[[str, str], Path]
"""Returns the results directory for data of this name and a target of this name."""

GROUP_COLUMN, TIME_COLUMN = "_group", "_time"
"""Columns that hold groups and times which are given as values."""


@dataclass(frozen=True)
class GivenData:
    """A path, and the columns of it that `bench.user_data.source.find_source` is to use."""

    path: str
    target: str = ""
    group: str = ""
    time: str = ""


def keep_data(data: Any, target: Any, groups: Any, time: Any, directory_for: DirectoryFor) -> GivenData:
    """Return where data are: a path as it is; a frame as Parquet, and arrays as `.npz`, written to the results directory.

    Raises an InputError for values of another length than the data, and for what cannot be written.
    """
    if isinstance(data, str | os.PathLike):
        columns = {"target": target, "groups": groups, "time": time}
        for name, value in columns.items():
            if value is not None and not isinstance(value, str):
                given = type(value).__name__
                raise InputError(f"compare: {name} must be the name of a column where data is a path; given: {given}")
        return GivenData(os.fspath(data), target or "", groups or "", time or "")
    if hasattr(data, "columns"):
        return _keep_frame(data, target, groups, time, directory_for)
    return _keep_arrays(data, target, groups, time, directory_for)


def _keep_frame(frame: pd.DataFrame, target: Any, groups: Any, time: Any, directory_for: DirectoryFor) -> GivenData:
    frame = frame.copy(deep=False)
    names = {}
    for role, default, values in (
        ("target", "target", target),
        ("groups", GROUP_COLUMN, groups),
        ("time", TIME_COLUMN, time),
    ):
        if values is None or isinstance(values, str):
            names[role] = values or ""
            continue
        names[role] = str(getattr(values, "name", None) or default)
        _check_length(role, values, len(frame))
        frame[names[role]] = np.asarray(values)
    path = directory_for("frame", names["target"]) / "data" / "frame.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        frame.to_parquet(path, index=False)
    except (ValueError, TypeError) as error:  # pyarrow's errors are of these kinds
        raise InputError(f"compare: the frame cannot be written as Parquet: {' '.join(str(error).split())}") from None
    return GivenData(str(path), names["target"], names["groups"], names["time"])


def _keep_arrays(x: Any, y: Any, groups: Any, time: Any, directory_for: DirectoryFor) -> GivenData:
    from scipy import sparse

    if y is None or isinstance(y, str):
        raise InputError("compare: give the labels (N,) of the array as target, as in compare(X, y)")
    arrays = {"y": _as_array(y)}
    arrays |= {name: _as_array(values) for name, values in (("groups", groups), ("time", time)) if values is not None}
    if sparse.issparse(x):
        matrix = sparse.csr_matrix(x)
        arrays |= {"X_data": matrix.data, "X_indices": matrix.indices, "X_indptr": matrix.indptr}
        arrays["X_shape"] = np.array(matrix.shape)
        rows = matrix.shape[0]
    else:
        arrays["X"] = _as_array(x)
        rows = len(arrays["X"])
    for name, values in arrays.items():
        if not name.startswith("X"):
            _check_length(name, values, rows)
    path = directory_for("arrays", "") / "data" / "arrays.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return GivenData(str(path))


def _as_array(values: Any) -> np.ndarray:
    """Return an array of numbers or text: lists, series and tensors of any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    return array.astype(str) if array.dtype == object else array


def _check_length(name: str, values: Any, rows: int) -> None:
    if len(values) != rows:
        raise InputError(f"compare: {name} must have a value for each of the {rows:,} rows; given: {len(values):,}")
