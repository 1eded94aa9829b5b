"""A large Parquet file as a table that is read by column and by chunk, since as a data frame it would fill the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from bench.user_data.table_file import TableFile, check_names, damaged_parquet, is_parquet, read_table

MOST_ROWS = 1_000_000
"""Rows up to which a table is read at once."""
ROWS_OF_CHUNK = 200_000


@dataclass(frozen=True)
class LargeTable:
    """The table of a Parquet file, as `TableFile` is one; what is read of it is not kept."""

    path: Path
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """A Python expression that reads the file `path`: `pd` is pandas."""
        return "pd.read_parquet(path).reset_index()" if self._index_names else "pd.read_parquet(path)"

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self._stored_names)

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return int(pa.parquet.read_metadata(self.path).num_rows)

    def column(self, name: str) -> pd.Series:
        """Return all values of a column."""
        with self._open() as file:
            values = file.read([self._stored_names[name]], use_threads=False).column(0)
        return pd.Series(values.to_pandas(), name=name)

    def chunks(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield all rows in order with these columns, `ROWS_OF_CHUNK` at a time; days come as `datetime64`, which is faster."""
        stored = [self._stored_names[name] for name in names]
        with self._open() as file:
            for batch in file.iter_batches(ROWS_OF_CHUNK, columns=stored, use_threads=False):
                frame = batch.replace_schema_metadata().select(stored).to_pandas(date_as_object=False)
                yield frame.set_axis(list(names), axis=1)

    @cached_property
    def _stored_names(self) -> dict[str, str]:
        """The name of each column in the file."""
        stored = [str(name) for name in pa.parquet.read_schema(self.path).names]
        # pandas calls an index without a name so, which is called index when it becomes a column.
        names = ["index" if name == "__index_level_0__" else name for name in stored]
        return dict(zip(check_names(self.path, names), stored, strict=True))

    @property
    def _index_names(self) -> list[str]:
        """The columns that pandas would make the index."""
        metadata = pa.parquet.read_schema(self.path).pandas_metadata or {}
        return [name for name in metadata.get("index_columns", ()) if isinstance(name, str)]

    @contextmanager
    def _open(self) -> Iterator[pa.parquet.ParquetFile]:
        try:
            with pa.parquet.ParquetFile(self.path, memory_map=True) as file:
                yield file
        except (pa.ArrowException, OSError) as error:
            raise damaged_parquet(self.path, error) from None


def open_table(path: Path, wanted: Sequence[str] = ()) -> TableFile | LargeTable:
    """Return the table of a file: a Parquet file of more than `MOST_ROWS` rows unread, any other read by `read_table`.

    Raises an InputError as `read_table` does.
    """
    if path.is_file() and is_parquet(path):
        try:
            rows = pa.parquet.read_metadata(path).num_rows
        except (pa.ArrowException, OSError) as error:
            raise damaged_parquet(path, error) from None
        if rows > MOST_ROWS:
            return LargeTable(path)
    return read_table(path, wanted)
