"""A table of a user as a task: its rows are the items, one of its columns is the label."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.errors import InputError
from bench.tasks.splitting import Split
from bench.tasks.task import Task, TaskSpec
from bench.text.lines import shorten
from bench.text.numbers import plural
from bench.user_data import column_values
from bench.user_data.column_plan import ColumnPlan
from bench.user_data.column_recognition import find_number_format, plan_columns
from bench.user_data.column_values import to_dates, to_numbers
from bench.user_data.large_table import MOST_ROWS, LargeTable, open_table
from bench.user_data.prepared_chunks import KeptRows, PreparedChunks
from bench.user_data.row_sample import sample_by_class
from bench.user_data.suspicious_columns import find_copies, find_leaks, join_names
from bench.user_data.table_file import TableFile
from bench.user_data.target_column import find_column, quote_label, read_target
from bench.user_data.text_encodings import TextFeatures, compute_ahead
from bench.user_data.text_features import note_texts


@dataclass(frozen=True)
class TableTask(TaskSpec):
    """The rows of a table, with the column `target` as label; `source.find_source` describes the fields.

    The plan of the columns is made once, from all rows of the table, and is the same for every seed. What is measured for the
    features (medians, means, standard deviations) is measured on the training part of each seed.
    """

    path: str
    target: str
    text: str = ""
    group: str = ""
    time: str = ""
    valid_file: str = ""
    test_file: str = ""
    drop: tuple[str, ...] = ()
    sample_by_class: int = 0
    """How many rows of the table are used, each class keeping its share; 0 for all."""
    features: TextFeatures = "ngrams"
    """How the column `text` becomes numbers."""
    name: str = ""
    """Of the data set, where it is not the name of the file."""
    given: str = ""
    """What the user gave, where the file was written from it: messages name it."""
    notes: tuple[str, ...] = ()
    """What a user of the results should know, besides what is found when the files are read."""

    @property
    def label(self) -> str:
        return self.name or Path(self.path).name

    @property
    def kind(self) -> str:
        return "rows"

    @property
    def data_location(self) -> str:
        return str(Path(self.path).resolve())

    def prepare(self) -> PreparedTable:
        """Return the table, read and checked; it is read once per process, and again after its files changed."""
        return _prepare(self, tuple(_state_of(name) for name in (self.path, self.valid_file, self.test_file)))

    def load(self, rng: np.random.Generator) -> Task:
        table = self.prepare()
        try:
            task = Task.from_arrays(
                table.features,
                table.labels,
                rng=rng,
                groups=table.groups,
                time=table.times,
                split=table.split,
                preprocessing=table.plan.transformer(),
                description=table.description,
                notes=table.notes,
            )
        except InputError as error:
            raise InputError(f"{self.given or self.label}: {error}") from None
        assert task.rows is not None
        leaks = find_leaks(table.features, table.labels, task.rows.train)
        return replace(
            task,
            notes=(*task.notes, *leaks),
            rows=table.in_source(task.rows),
            columns=tuple(table.plan.rows()),
            test_texts=table.texts(task.rows.test),
        )


@dataclass(frozen=True, eq=False)
class PreparedTable:
    """A table with its columns typed, and without the rows that have no label."""

    features: pd.DataFrame | PreparedChunks
    labels: NDArray[Any]
    """A string per row."""
    source_rows: NDArray[np.int64]
    """Number of each row in the file; those of a validation and a test file follow."""
    plan: ColumnPlan
    files: tuple[TableFile | LargeTable, ...]
    """The table, and the files of validation and test that were given."""
    description: str
    notes: tuple[str, ...]
    groups: NDArray[Any] | None = None
    times: NDArray[Any] | None = None
    split: Split | None = None
    """The user's own parts; an empty one is split off the training part."""

    def count_classes(self) -> NDArray[np.int64]:
        """Return the number of rows of each class."""
        return np.unique(self.labels, return_counts=True)[1]

    def count_numbers(self) -> int:
        """Return how many numbers a row becomes, found on the first rows."""
        chunks = iter([self.features]) if isinstance(self.features, pd.DataFrame) else self.features.chunks()
        first = next(chunks).iloc[:100]
        return int(self.plan.transformer().fit_transform(first).shape[1])

    def texts(self, rows: NDArray[np.int64]) -> tuple[str, ...] | None:
        """Return the texts of these rows; None of a table without texts, or one that is read in chunks."""
        columns = [column.column for column in self.plan.of_kind("text")]
        if len(columns) != 1 or not isinstance(self.features, pd.DataFrame):
            return None
        return tuple(self.features[columns[0]].iloc[rows].fillna("").astype(str).map(shorten))

    def in_source(self, rows: Split) -> Split:
        """Return row numbers of the files for numbers of these rows."""
        return Split(*(self.source_rows[part] for part in (rows.train, rows.valid, rows.test)))


@dataclass(frozen=True)
class _Columns:
    """The columns that the user named, as they are called in the table."""

    target: str
    text: str
    group: str
    time: str
    drop: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def find(cls, task: TableTask, names: Sequence[str]) -> _Columns:
        notes: list[str] = []

        def find(asked: str, option: str) -> str:
            column, said = find_column(asked, names, option)
            notes.extend(said)
            return column

        target = find(task.target, "--target")
        text, group, time = (
            find(asked, option) if asked else ""
            for asked, option in ((task.text, "--text"), (task.group, "--group"), (task.time, "--time"))
        )
        drop = tuple(find(asked, "--drop") for asked in task.drop)
        roles = {"--target": target, "--text": text, "--group": group, "--time": time}
        taken: dict[str, str] = {}
        for option, column in [*roles.items(), *(("--drop", column) for column in drop)]:
            if (
                column
                and column in taken
                and taken[column] != option
                and {taken[column], option} != {"--group", "--drop"}
            ):
                raise InputError(f"{taken[column]} and {option} both name the column {column!r}; leave one of them out")
            taken.setdefault(column, option)
        return cls(target, text, group, time, drop, tuple(notes))

    @property
    def not_used(self) -> dict[str, str]:
        """Columns that are no features, and why."""
        reasons = dict.fromkeys(self.drop, "left out with --drop")
        reasons |= {self.group: "keeps the rows of a group in one part"} if self.group else {}
        return reasons | ({self.time: "puts the rows in order"} if self.time else {})


def _state_of(name: str) -> tuple[int, int] | None:
    """Return what changes when a file does."""
    try:
        status = Path(name).stat() if name else None
    except OSError:
        return None
    return status and (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _prepare(task: TableTask, state: tuple[tuple[int, int] | None, ...]) -> PreparedTable:
    wanted = [name for name in (task.target, task.text, task.group, task.time, *task.drop) if name]
    main, *others = files = [
        open_table(Path(name), wanted) for name in (task.path, task.valid_file, task.test_file) if name
    ]
    name = task.given or task.label
    try:
        columns = _Columns.find(task, main.names)
    except InputError as error:
        # A table whose first line was read as a row says so in a note, which is the likely reason.
        reasons = [
            f"{note}: name one of these, or add a line of names" for note in main.notes if "read as a row" in note
        ]
        raise InputError("; ".join([f"{name}: {error}", *reasons])) from None
    for other in others:
        _refuse_absent(other, list(filter(None, (columns.target, columns.group, columns.time))), name)

    target = read_target(
        columns.target, _join(files, columns.target), name, partial(_write_bins_code, main, columns.target)
    )
    kept = target.labels.notna().to_numpy(copy=True)
    sample_notes = []
    if task.sample_by_class:
        of_main = slice(0, main.rows)
        labelled = int(kept[of_main].sum())
        kept[of_main] &= sample_by_class(target.labels.iloc[of_main], task.sample_by_class)
        sample_notes.append(
            f"{int(kept[of_main].sum()):,} of {plural(labelled, 'row')} are used, chosen at random so that each class keeps its "
            f"share (--sample-by-class {task.sample_by_class})"
        )
    labels = target.labels[kept].to_numpy(dtype=object).astype(str)
    rows = KeptRows(main, kept[: main.rows])
    plan = plan_columns(rows, columns.target, not_used=columns.not_used, text=columns.text, features=task.features)
    for other in others:
        _refuse_absent(other, [column.column for column in plan.used], name)
    if not plan.used:
        raise _nothing_left(name, plan)
    chunks = PreparedChunks(tuple(files), plan, kept)
    text_notes = _note_texts(chunks)
    if copies := find_copies(chunks.columns(), labels):
        plan = plan.without(dict.fromkeys(copies, f"a copy of {columns.target!r}, the column to predict"))
        if not plan.used:
            raise _nothing_left(name, plan)
        chunks = replace(chunks, plan=plan)
    for column in plan.of_kind("text"):
        compute_ahead(task.features, chunks.column(column.column))
    used = f"{len(plan.used)} of {plural(len(main.names) - 1, 'column')} used"
    return PreparedTable(
        chunks
        if isinstance(main, LargeTable) and len(labels) > MOST_ROWS
        else pd.concat(chunks.chunks(), ignore_index=True),
        labels,
        np.flatnonzero(kept),
        plan,
        tuple(files),
        description=f"{name}: {plural(len(labels), 'row')}, {used}, target {columns.target!r}",
        notes=(
            *(*task.notes, *main.notes, *columns.notes, *target.notes, *sample_notes),
            *(*plan.notes(), *text_notes),
        ),
        groups=column_values.to_text(_join(files, columns.group)[kept]).to_numpy(object) if columns.group else None,
        times=_read_times(name, columns.time, _join(files, columns.time)[kept]) if columns.time else None,
        split=_split_by_files(files, bool(task.valid_file), kept),
    )


def _note_texts(chunks: PreparedChunks) -> list[str]:
    return [
        note
        for column in chunks.plan.of_kind("text")
        for note in note_texts(chunks.column(column.column), column.column)
    ]


def _nothing_left(name: str, plan: ColumnPlan) -> InputError:
    reasons = "; ".join(f"{column.column}: {column.reason}" for column in plan.of_kind("not used"))
    return InputError(f"{name}: no column is left to predict from ({reasons}); add columns")


def _refuse_absent(other: TableFile | LargeTable, needed: Sequence[str], main: str) -> None:
    """Raise an InputError if a validation or test file lacks columns."""
    if absent := [column for column in needed if column not in other.names]:
        raise InputError(
            f"{other.path}: no column {join_names(map(repr, absent[:5]))}, which {main} has; "
            "give all files the same columns"
        )


def _join(files: Sequence[TableFile | LargeTable], column: str) -> pd.Series:
    """Return a column of all files."""
    parts = [file.column(column) for file in files]
    if len({str(part.dtype) for part in parts}) > 1:
        parts = [part.astype(object) for part in parts]
    return pd.concat(parts, ignore_index=True)


def _read_times(name: str, column: str, values: pd.Series) -> NDArray[Any]:
    """Return times as numbers or dates; an InputError if they cannot be put in order."""
    planned = plan_columns(pd.DataFrame({column: values}), "").columns[0]
    is_date = planned.kind == "date" or pd.api.types.is_datetime64_any_dtype(values.dtype)
    times = to_dates(values, planned.formats) if is_date else to_numbers(values, planned.decimal, planned.thousands)
    if missing := int(times.isna().sum()):
        raise InputError(
            f"{name}: --time {column!r}: {missing:,} of {plural(len(values), 'row')} with no time or date, such as "
            f"{quote_label(values[times.isna()].iloc[0])}; write dates as 2024-03-05 or 2024-03-05 14:30, fill them in, or leave "
            "those rows out"
        )
    return times.to_numpy()


def _split_by_files(files: Sequence[TableFile | LargeTable], has_valid: bool, known: NDArray[np.bool_]) -> Split | None:
    """Return the rows of the files for validation and test, numbered among those with a label."""
    if len(files) == 1:
        return None
    owner = np.repeat(np.arange(len(files)), [file.rows for file in files])[known]
    rows = [np.flatnonzero(owner == number) for number in range(len(files))]
    none = np.zeros(0, np.int64)
    if len(files) == 3:
        return Split(*rows)
    return Split(rows[0], rows[1], none) if has_valid else Split(rows[0], none, rows[1])


def _write_bins_code(table: TableFile | LargeTable, column: str) -> str:
    """Return a command that writes the table with quarters of a numeric column as classes."""
    out = f"{table.path.name.split('.')[0]}-bins.parquet"
    decimal, marks = find_number_format(column_values.to_text(table.column(column)).dropna())
    values = f"table[{column!r}]" + "".join(f".str.replace({mark!r}, '')" for mark in marks)
    values += ".str.replace(',', '.')" if decimal == "," else ""
    numbers = f"pd.to_numeric({values}, errors='coerce')"
    code = (
        f"import pandas as pd; path = {str(table.path)!r}; table = {table.code}; "
        f"table[{column!r}] = pd.qcut({numbers}, 4, duplicates='drop').astype(str); "
        f"table.to_parquet({out!r})"
    )
    quoted = shlex.quote(code) if set(code) & set('"$`\\!') else f'"{code}"'  # double quotes are easier to read
    return f"python -c {quoted}, then compare {out}"
