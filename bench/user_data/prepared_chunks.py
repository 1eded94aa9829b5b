"""The columns of a table that features are made of, prepared by chunk or by column, without holding the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.tasks.row_chunks import RowChunks
from bench.user_data.column_plan import ColumnPlan
from bench.user_data.large_table import LargeTable
from bench.user_data.table_file import TableFile


@dataclass(frozen=True, eq=False)
class KeptRows(Mapping[str, pd.Series]):
    """The columns of a table by name, without the rows that are left out; `kept (N,)` says which stay."""

    table: TableFile | LargeTable
    kept: NDArray[np.bool_]

    def __getitem__(self, name: str) -> pd.Series:
        return self.table.column(name)[self.kept]

    def __iter__(self) -> Iterator[str]:
        return iter(self.table.names)

    def __len__(self) -> int:
        return len(self.table.names)


@dataclass(frozen=True, eq=False)
class PreparedChunks(RowChunks):
    """The rows of one or more files one after another, without those that are left out, as a plan prepares them."""

    files: tuple[TableFile | LargeTable, ...]
    plan: ColumnPlan
    kept: NDArray[np.bool_]
    """Which rows of all files stay, `(N,)`."""

    @property
    def shape(self) -> tuple[int, int]:
        return int(np.count_nonzero(self.kept)), len(self.plan.used)

    def chunks(self) -> Iterator[pd.DataFrame]:
        names, begin = [column.column for column in self.plan.used], 0
        for file in self.files:
            for chunk in file.chunks(names):
                kept = self.kept[begin : begin + len(chunk)]
                begin += len(chunk)
                yield self.plan.prepare(chunk[kept]).reset_index(drop=True)

    def column(self, name: str) -> pd.Series:
        """Return all values of a column, prepared."""
        (column,) = (column for column in self.plan.used if column.column == name)
        values, begin = [], 0
        for file in self.files:
            kept = self.kept[begin : begin + file.rows]
            begin += file.rows
            values.append(column.prepare(file.column(name)[kept]))
        return pd.concat(values, ignore_index=True)

    def columns(self) -> Iterator[tuple[str, pd.Series]]:
        """Yield name and values of each column, prepared."""
        for column in self.plan.used:
            yield column.column, self.column(column.column)
