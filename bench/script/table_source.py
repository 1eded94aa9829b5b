"""A table as a program reads it: its files, its columns, and what their values become."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.script.column_code import column_code
from bench.script.source_code import literal
from bench.tasks import row_chunks
from bench.user_data.delimited_text import DELIMITERS
from bench.user_data.table_task import TableTask
from bench.user_data.target_column import find_column


@dataclass(frozen=True)
class TableSource:
    """What the templates of tables read."""

    template: str
    files: str
    """The expression of the paths: one, or those of all parts."""
    target: str
    class_ids: dict[str, int]
    """The class of each value of the target's column; empty where the classes are the values."""
    columns: list[str]
    readers: list[tuple[str, str]]
    """Name and expression of the functions that read files."""
    load: str
    """The expression of the table with all rows."""
    preparation: str
    """The functions `prepare_columns` and `make_preprocessing`, and `note_values` where values can be unreadable or unseen."""
    format: str
    """What a new file must be."""
    array_width: int
    """How many numbers a row of an array has, which a new file may hold in place of columns; 0 for tables."""
    is_large: bool
    """Whether the study read the table in chunks."""

    @property
    def most_fitted(self) -> int:
        """Rows of a large table that the preprocessing is fitted to, at most."""
        return row_chunks.MOST_FITTED

    @property
    def reads_parquet(self) -> bool:
        """Whether a file is Parquet, which pandas reads with pyarrow."""
        return any("read_parquet" in code for _, code in self.readers)

    @property
    def unneeded(self) -> str:
        """What of the table a new file does not need."""
        return "" if self.array_width else f"; it needs no column {self.target!r}"


def table_source(task: TableTask, class_names: list[str]) -> TableSource:
    """Return how a program reads the table of a task."""
    table = task.prepare()
    codes = [re.sub(r"^pandas\.", "pd.", file.code).replace("pathlib.Path(path)", "path") for file in table.files]
    paths = [f"Path({literal(str(Path(file.path).resolve()))})" for file in table.files]
    names = ["read_table" if code == codes[0] else f"read_table{place}" for place, code in enumerate(codes, start=1)]
    readers = list(dict(zip(names, codes, strict=True)).items())
    target, _ = find_column(task.target, table.files[0].names, "--target")
    if len(paths) == 1:
        files, load = paths[0], "read_table(DATA)"
    else:
        files = f"[{', '.join(paths)}]"
        load = f"pd.concat([{', '.join(f'{name}(DATA[{i}])' for i, name in enumerate(names))}], ignore_index=True)"
    columns = [column.column for column in table.plan.used]
    class_ids = _class_ids(task, target, class_names)
    width = _array_width(table.files[0].names) if codes[0].startswith("pd.read_parquet") else 0
    file_format = _name_format(codes[0], width)
    return TableSource(
        "table",
        files,
        target,
        class_ids,
        columns,
        readers,
        load,
        column_code(table.plan),
        file_format,
        width,
        isinstance(table.features, row_chunks.RowChunks),
    )


def _array_width(names: list[str]) -> int:
    """Return the length of rows of an array that was written as a table with the columns x0, x1, ...; 0 for other tables."""
    numbered = [name for name in names if re.fullmatch(r"x\d+", name)]
    return len(numbered) if names[: len(numbered)] == [f"x{place}" for place in range(len(numbered))] else 0


def _name_format(code: str, array_width: int) -> str:
    """Return what a new file must be, to be read by this code."""
    if array_width:
        return f"an .npz file with X (N, {array_width}), an .npy file of X, or Parquet with the columns x0 to x{array_width - 1}"
    if code.startswith("pd.read_parquet"):
        return "Parquet with the columns of DATA"
    packed = " packed by gzip" if "gzip" in code else ""
    if separator := re.search(r"\bsep=('[^']*')", code):
        name = DELIMITERS.get(ast.literal_eval(separator[1]), "blanks")
        names = "without a line of names" if "header=None" in code else "named as in DATA"
        return f"text{packed} with columns separated by {name}, {names}"
    return f"JSON{packed}, an object per row with the keys of DATA"


def _class_ids(task: TableTask, target: str, class_names: list[str]) -> dict[str, int]:
    """Return the class of each value of the target's column, as it is written; empty where values are the names of classes."""
    table = task.prepare()
    columns = [file.column(target) for file in table.files]
    # Values of several types are compared as they are written: 1 and True are equal.
    columns = [column.map(str) if column.dtype == object else column for column in columns]
    values = pd.concat(columns, ignore_index=True).iloc[table.source_rows].reset_index(drop=True)
    pairs = pd.DataFrame({"value": values, "label": table.labels}).drop_duplicates()
    ids = {str(value).strip(): class_names.index(label) for value, label in pairs.itertuples(index=False)}
    return {} if all(class_names[class_id] == value for value, class_id in ids.items()) else ids
