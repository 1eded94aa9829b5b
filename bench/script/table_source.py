"""A table as a program reads it: its files, its columns, and what their values become."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.script.column_code import column_code
from bench.script.source_code import literal
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
    """The functions `prepare_columns` and `make_preprocessing`."""


def table_source(task: TableTask, class_names: list[str]) -> TableSource:
    """Return how a program reads the table of a task."""
    table = task.prepare()
    codes = [re.sub(r"^pandas\.", "pd.", file.code) for file in table.files]
    paths = [f"Path({literal(str(Path(file.path).resolve()))})" for file in table.files]
    names = ["read_table" if code == codes[0] else f"read_table{place}" for place, code in enumerate(codes, start=1)]
    readers = list(dict(zip(names, codes, strict=True)).items())
    target, _ = find_column(task.target, table.files[0].frame.columns, "--target")
    if len(paths) == 1:
        files, load = paths[0], "read_table(DATA)"
    else:
        files = f"[{', '.join(paths)}]"
        load = f"pd.concat([{', '.join(f'{name}(DATA[{i}])' for i, name in enumerate(names))}], ignore_index=True)"
    columns = [column.column for column in table.plan.used]
    class_ids = _class_ids(task, target, class_names)
    return TableSource("table", files, target, class_ids, columns, readers, load, column_code(table.plan))


def _class_ids(task: TableTask, target: str, class_names: list[str]) -> dict[str, int]:
    """Return the class of each value of the target's column, as it is written; empty where values are the names of classes."""
    table = task.prepare()
    ids: dict[str, int] = {}
    written = [str(value).strip() for file in table.files for value in file.frame[target]]
    for row, label in zip(table.source_rows.tolist(), table.labels.tolist(), strict=True):
        ids[written[row]] = class_names.index(label)
    return {} if all(class_names[class_id] == value for value, class_id in ids.items()) else ids
