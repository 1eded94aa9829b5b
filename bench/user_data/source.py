"""Recognise what a user gave as data, and return it as a task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import InputError
from bench.tasks.task import TaskSpec
from bench.user_data.table_task import TableTask


def find_source(
    data: str | Path,
    *,
    target: str = "",
    text: str = "",
    group: str = "",
    time: str = "",
    valid: str | Path = "",
    test: str | Path = "",
    drop: Sequence[str] = (),
) -> TaskSpec:
    """Return the task of a user's data.

    Parameters
    ----------
    data
        A table: CSV or other delimited text, Parquet, or JSON lines, each also compressed with gzip.
    target
        The column to predict.
    text
        A column of free text to predict from.
    group
        A column: rows with the same value stay in one part.
    time
        A column of times: training has the earliest rows, test the latest.
    valid, test
        Files with the rows of these parts; otherwise they are split off.
    drop
        Columns that are not used.

    Raises
    ------
    InputError
        If the data is not there, cannot be read, or cannot be a task.
    """
    path = Path(data).expanduser()
    if not path.exists():
        raise InputError(f"{data}: there is no such file; check the path")
    if not target:
        raise InputError(f"{path.name} is a table, so name the column to predict: --target COLUMN")
    files = {"valid_file": str(valid), "test_file": str(test)}
    left_out = (drop,) if isinstance(drop, str) else tuple(drop)
    task = TableTask(str(path), target, text=text, group=group, time=time, drop=left_out, **files)
    task.prepare()
    return task
