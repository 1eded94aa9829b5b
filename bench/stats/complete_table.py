"""Keep only the strategies with a finite value in every column, and name the columns that the others lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class CompleteTable:
    """The complete rows of a table, and for each other row the columns in which it has no finite number."""

    values: pd.DataFrame
    missing: dict[str, list[Any]]


def drop_incomplete(table: pd.DataFrame) -> CompleteTable:
    """Return the rows of a table strategy x seed (or x task) that have a finite number in every column.

    Raises a ValueError if two rows or two columns share a name.

    >>> complete = drop_incomplete(pd.DataFrame({0: [0.5, 0.7], 1: [0.6, np.nan]}, index=["none", "focal"]))
    >>> list(complete.values.index), complete.missing
    (['none'], {'focal': [1]})
    """
    if not (table.index.is_unique and table.columns.is_unique):
        raise ValueError("a table must name each row and each column once")
    finite = np.isfinite(table.to_numpy(dtype=np.float64))
    holes = zip(table.index, finite, strict=True)
    missing = {str(name): list(table.columns[~row]) for name, row in holes if not row.all()}
    return CompleteTable(table.loc[finite.all(axis=1)].astype(np.float64), missing)
