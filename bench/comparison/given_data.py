"""Data that a Python program gives: written to the results directory, from which worker processes read it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import InputError
from bench.user_data.arrays_task import flatten_items, read_arrays
from bench.user_data.table_file import write_frame

if TYPE_CHECKING:
    import pandas as pd

DirectoryFor = Callable[[str, str], Path]
"""Returns the results directory for data of this name and a target of this name."""

MOST_DENSE = 50_000_000
"""Numbers that a sparse matrix may have when it is written whole."""
GROUP_COLUMN, TIME_COLUMN = "_group", "_time"
"""Columns that hold groups and times which are given as values."""


@dataclass(frozen=True)
class GivenData:
    """A path, and the columns of it that `bench.user_data.source.find_source` is to use."""

    path: str
    target: str = ""
    group: str = ""
    time: str = ""
    name: str = ""
    """What the user gave, where it is not the file at the path: messages name it."""
    notes: tuple[str, ...] = ()


def keep_data(data: Any, target: Any, groups: Any, time: Any, directory_for: DirectoryFor) -> GivenData:
    """Return where data are: a path as it is; a frame, arrays, and those of an `.npz` file as Parquet in the results directory.

    Raises an InputError for values of another length than the data, and for what cannot be written.
    """
    if isinstance(data, str | os.PathLike):
        columns = {"target": target, "groups": groups, "time": time}
        for name, value in columns.items():
            if value is not None and not isinstance(value, str):
                given = type(value).__name__
                raise InputError(f"compare: {name} must be the name of a column where data is a path; given: {given}")
        if Path(data).suffix == ".npz" and Path(data).is_file():
            return _keep_npz(Path(data), directory_for)
        return GivenData(os.fspath(data), target or "", groups or "", time or "")
    if hasattr(data, "columns"):
        return _keep_frame("frame", "the frame", data, target, groups, time, directory_for)
    if target is None or isinstance(target, str):
        raise InputError("compare: give the labels (N,) of the array as target, as in compare(X, y)")
    frame, notes = _as_frame(data)
    kept = _keep_frame("arrays", "the arrays", frame, _as_array(target), groups, time, directory_for)
    return replace(kept, notes=notes)


def _keep_frame(
    stem: str, name: str, frame: pd.DataFrame, target: Any, groups: Any, time: Any, directory_for: DirectoryFor
) -> GivenData:
    frame = frame.copy(deep=False)
    roles = (("target", "target", target), ("groups", GROUP_COLUMN, groups), ("time", TIME_COLUMN, time))
    names = {}
    for role, default, values in roles:
        if values is None or isinstance(values, str):
            names[role] = values or ""
            continue
        names[role] = str(getattr(values, "name", None) or default)
        if len(values) != len(frame):
            raise InputError(
                f"compare: {role} must have a value for each of the {len(frame):,} rows; given: {len(values):,}"
            )
        array = _as_array(values)
        if array.shape != (len(frame),):
            hint = "; of labels that are one-hot, give y.argmax(1)" if role == "target" and array.ndim == 2 else ""
            raise InputError(
                f"compare: {role} must have one value per row, ({len(frame)},); given: {array.shape}{hint}"
            )
        frame[names[role]] = array
    if frame.empty:
        rows, columns = frame.shape
        raise InputError(f"compare: {name} must have rows and columns; given: {rows} x {columns}")
    path = directory_for(stem, names["target"]) / "data" / f"{stem}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_frame(frame, path)
    return GivenData(str(path), names["target"], names["groups"], names["time"], name)


def _keep_npz(path: Path, directory_for: DirectoryFor) -> GivenData:
    """Keep the arrays `X (N, F)` and `y (N,)` of a file, and `groups` and `time` if it has them."""
    arrays = read_arrays(path)
    if "lengths" in arrays or "split" in arrays:
        return GivenData(str(path))
    frame, notes = _as_frame(arrays["X"])
    others = (arrays.get("groups"), arrays.get("time"))
    return replace(_keep_frame(path.stem, path.name, frame, arrays["y"], *others, directory_for), notes=notes)


def _as_frame(x: Any) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return features `(N, F)` as a frame with the columns x0, x1, ...; images and the like are flattened, with a note."""
    import pandas as pd
    from scipy import sparse

    if sparse.issparse(x):
        if x.shape[0] * x.shape[1] > MOST_DENSE:
            rows, columns = x.shape
            raise InputError(
                f"compare: a sparse matrix of {rows:,} x {columns:,} is too large as numbers; reduce it first, for example with "
                "sklearn.decomposition.TruncatedSVD(256)"
            )
        x = x.toarray()
    array = _as_array(x)
    if array.ndim < 2:
        raise InputError(f"compare: data must be features (N, F); given an array of the shape {array.shape}")
    array, notes = flatten_items(array)
    if array.dtype.kind in "iu":  # numbers of a matrix are quantities, and integers of a column may be codes
        array = array.astype(np.result_type(array, np.float32))
    return pd.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])]), notes


def _as_array(values: Any) -> np.ndarray:
    """Return an array: of lists, series, and tensors of any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return np.asarray(values)
