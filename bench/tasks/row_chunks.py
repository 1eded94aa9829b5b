"""Rows that are too many to be held as a data frame: they are read in chunks, each time that they are needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.tasks.row_arrays import hash_rows, take, to_floats
from bench.tasks.splitting import Ids

if TYPE_CHECKING:
    import pandas as pd

MOST_FITTED = 1_000_000
"""Training rows that a preprocessing is fitted on at most; with as many, medians and means are exact to a thousandth of the
standard deviation."""


class RowChunks(ABC):
    """Rows `(N, F)` whose data frames of some hundred thousand rows are read one after another."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of columns."""

    @abstractmethod
    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield all rows in order, in data frames with the same columns."""

    def chunks_with(self, *parts: Ids) -> Iterator[tuple[pd.DataFrame, list[Ids], list[slice]]]:
        """Yield each chunk, with the rows of each part in it, and their places in the part.

        Parts are row numbers in ascending order; the rows that are yielded are numbered in their chunk.
        """
        begin = 0
        for chunk in self.chunks():
            end = begin + len(chunk)
            places = [slice(*np.searchsorted(part, (begin, end)).tolist()) for part in parts]
            yield chunk, [part[place] - begin for part, place in zip(parts, places, strict=True)], places
            begin = end

    def take(self, rows: Ids) -> pd.DataFrame:
        """Return the rows, in ascending order, as one data frame."""
        import pandas as pd

        found = [take(chunk, inside) for chunk, (inside,), _ in self.chunks_with(rows) if len(inside)]
        return pd.concat(found, ignore_index=True) if found else next(self.chunks()).iloc[:0]

    def hash_rows(self) -> NDArray[np.uint64]:
        """Return a hash of each row; equal rows have equal hashes."""
        return np.concatenate([hash_rows(chunk) for chunk in self.chunks()])


def choose_fitted(rows: Ids) -> Ids:
    """Return the training rows that a preprocessing is fitted on: all, or `MOST_FITTED` of them at equal distances.

    >>> len(choose_fitted(np.arange(2_500_000)))
    833334
    """
    return rows[:: -(-len(rows) // MOST_FITTED)]


def transform_chunks(fitted: Any, x: RowChunks, parts: list[Ids]) -> list[NDArray[np.float32]]:
    """Return the rows of each part as a fitted transformer makes them, `(N, F)` float32, read and transformed by chunk."""
    first = next(x.chunks())
    width = fitted.transform(first.iloc[:1]).shape[1]
    outputs = [np.empty((len(part), width), np.float32) for part in parts]
    for chunk, inside, places in x.chunks_with(*parts):
        for output, rows, place in zip(outputs, inside, places, strict=True):
            if len(rows):
                made = fitted.transform(take(chunk, rows))
                output[place] = to_floats(made, "the output of the preprocessing", "correct it")
    return outputs
