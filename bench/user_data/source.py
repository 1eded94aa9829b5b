"""Recognise what a user gave as data, and return it as a task."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.errors import InputError
from bench.tasks.column_files import ColumnFile
from bench.tasks.fetch import fetch_missing
from bench.tasks.part_files import SUFFIXES
from bench.tasks.task import TaskSpec
from bench.tasks.task_registry import find_family, find_task, known_tasks
from bench.user_data.arrays_task import ArraysTask
from bench.user_data.corpus_task import TABLE_SUFFIXES, CorpusTask
from bench.user_data.hub_folder import is_hub_folder
from bench.user_data.hugging_face import PREFIX, Wishes, find_folder_task, find_hub_task
from bench.user_data.table_file import read_column_names, read_first_rows
from bench.user_data.table_task import TableTask
from bench.user_data.text_encodings import check_features
from bench.user_data.token_lists import list_columns

_MAYBE_TABLES = (".txt", ".tsv", ".csv", ".data", ".dat", ".tags", ".pos", ".gold", "")
"""Endings of both tables and tagged files."""
_TAGGED_SUFFIXES = tuple(suffix for suffix in SUFFIXES if suffix not in _MAYBE_TABLES)
_LAST, _LISTED = 3, 10
"""Columns of the end, and columns in all, that a message names."""
_SAMPLE_BYTES = 1 << 16
FEWEST_SAMPLED = 100
"""Rows of a sample, at least."""


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
    sample_by_class: int | None = None,
    features: str = "ngrams",
    given: str = "",
    notes: Sequence[str] = (),
) -> TaskSpec:
    """Return the task of a user's data.

    Parameters
    ----------
    data
        A table: CSV or other delimited text, Parquet, or JSON lines, each also compressed with gzip. Or tagged text: a CoNLL
        directory or file, or JSON or Parquet whose rows hold lists of words and of tags. Or a data set of the Hugging Face hub:
        `hf:NAME`, `hf:NAME/CONFIG`, or a folder in the hub's layout. Or a task by name, such as
        `keel:yeast4`, whose data are fetched if they are not in the cache.
    target
        The column to predict; of tagged text, the column of tags.
    text
        A column of free text to predict from; of tagged text, the column of words.
    group
        A column: rows with the same value stay in one part.
    time
        A column of times: training has the earliest rows, test the latest.
    valid, test
        Files with the rows of these parts; otherwise they are split off.
    drop
        Columns that are not used.
    sample_by_class
        How many rows of the table are used, chosen at random so that each class keeps its share; all by default.
    features
        How the column of free text becomes numbers: `ngrams`, hashed words and pairs; or `minilm`, frozen sentence embeddings,
        whose weights `imbench fetch minilm` brings.
    given
        What the user gave, where the table `data` was written from it: messages name it.
    notes
        What a user of the results should know about a table.

    Raises
    ------
    InputError
        If the data is not there, cannot be read, or cannot be a task.
    """
    valid, test = (str(Path(file).expanduser()) if file else "" for file in (valid, test))
    left_out = (drop,) if isinstance(drop, str) else tuple(drop)
    wishes = Wishes(target, text, group, time, valid, test, left_out, check_features(features))
    if sample_by_class is not None and sample_by_class < FEWEST_SAMPLED:
        raise InputError(f"--sample-by-class {sample_by_class}: give a number of rows, {FEWEST_SAMPLED} at least")
    if str(data).startswith(PREFIX):
        task: TaskSpec = find_hub_task(str(data), wishes)
    elif is_public(str(data)):
        task = find_task(str(data))
        _refuse_all_wishes(task, wishes)
        fetch_missing(task, say=partial(print, file=sys.stderr))
    else:
        path = Path(data).expanduser()
        if not path.exists():
            raise InputError(f"{data}: there is no such file; check the path")
        task = _find_directory(path, wishes) if path.is_dir() else _find_file(path, wishes, given, notes)
    if isinstance(task, CorpusTask):
        _refuse_table_options(data, wishes)
    if wishes.features != "ngrams" and not getattr(task, "text", ""):
        raise InputError(
            f"--features {features} is for a column of texts: name it with --text, or leave --features out"
        )
    if sample_by_class is not None:
        if not isinstance(task, TableTask):
            raise InputError(f"{data} is no table in a file, and --sample-by-class is for these: leave it out")
        task = replace(task, sample_by_class=sample_by_class)
    if isinstance(task, CorpusTask | TableTask):
        task.prepare()
    return task


def is_public(data: str) -> bool:
    """Return whether data are a task by name, such as keel:yeast4 or wnut17, and no file of that name is there.

    >>> is_public("keel:yeast4"), is_public("fraud.csv")
    (True, False)
    """
    name = data.partition(":")[0] if find_family(data) else data.partition("(")[0].strip()
    return (
        name != "conll" and not Path(data).exists() and any(known.partition(":")[0] == name for known in known_tasks())
    )


def _refuse_all_wishes(task: TaskSpec, wishes: Wishes) -> None:
    if wishes != Wishes():
        raise InputError(
            f"{task.label} has a label and features of its own: leave the other options for data out"
            + (f", or compare its file, {path}" if (path := getattr(task, "path", "")) else "")
        )


def _find_directory(path: Path, wishes: Wishes) -> TaskSpec:
    return find_folder_task(path, wishes) if is_hub_folder(path) else _corpus_task(path, wishes)


def _find_file(path: Path, wishes: Wishes, given: str, notes: Sequence[str]) -> TaskSpec:
    if path.suffix == ".npz":
        if named := [
            f"{name} {value}" for name, value in (("--target", wishes.target), ("--text", wishes.text)) if value
        ]:
            raise InputError(f"{path.name} holds arrays, X and y, and no columns: leave out {' '.join(named)}")
        return ArraysTask.of(path)
    if holds_tagged_text(path, wishes.target):
        return _corpus_task(path, wishes)
    if not wishes.target:
        hint = " (of tagged text, blank lines separate the sentences)" if path.suffix in ("", ".txt", ".tsv") else ""
        raise InputError(
            f"{given or path.name} is a table{hint}, so name the column to predict: --target COLUMN; {_list_columns(path)}"
        )
    return TableTask(
        str(path),
        wishes.target,
        text=wishes.text,
        group=wishes.group,
        time=wishes.time,
        valid_file=wishes.valid,
        test_file=wishes.test,
        drop=wishes.drop,
        features=wishes.features,
        given=given,
        notes=tuple(notes),
    )


def _list_columns(path: Path) -> str:
    """Return the columns of a table; the last ones come first, as the target is often one of them."""
    names = list(map(repr, read_column_names(path)))
    if len(names) <= _LAST:
        return f"the columns are {', '.join(names)}"
    others = names[: min(len(names), _LISTED) - _LAST]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"the last columns are {', '.join(names[-_LAST:])}, the others {', '.join(others)}{more}"


def _corpus_task(path: Path, wishes: Wishes) -> CorpusTask:
    return CorpusTask(
        path=str(path), target=wishes.target, text=wishes.text, valid_file=wishes.valid, test_file=wishes.test
    )


def _refuse_table_options(data: str | Path, wishes: Wishes) -> None:
    options = {"--group": wishes.group, "--time": wishes.time, "--drop": ", ".join(wishes.drop)}
    options |= {} if wishes.features == "ngrams" else {"--features": wishes.features}
    if given := [f"{option} {value}" for option, value in options.items() if value]:
        raise InputError(f"{data} holds tagged text, and {' '.join(given)} is for tables: leave it out")


def holds_tagged_text(path: Path, target: str = "") -> bool:
    """Return whether a file holds tagged text: rows of lists, or lines of words and tags with blank lines between sentences.

    With the column `target` of a table it does not.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz" and Path(path.stem).suffix.lower() in _TAGGED_SUFFIXES:
        raise InputError(f"{path}: tagged text is not unpacked; do so first: gunzip {path.name}")
    if suffix in _TAGGED_SUFFIXES:
        return True
    if suffix in TABLE_SUFFIXES:
        lists = list_columns(read_first_rows(path))
        return target in lists if target else len(lists) > 1
    if target and not target.removeprefix("-").isdecimal():
        return False
    return _has_sentences(path)


def _has_sentences(path: Path) -> bool:
    """Return whether blank lines separate lines of the same number of columns, two or more."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES).replace(b"\r", b"").strip()
    if b"\n\n" not in sample and b"\n \n" not in sample and b"\n\t\n" not in sample:
        return False
    try:
        file_of_columns = ColumnFile.open(path)
    except InputError:
        return False
    rows = file_of_columns.sure_words
    fitting = sum(len(row.columns) == file_of_columns.width for row in rows)
    return file_of_columns.width > 1 and fitting > 0.9 * len(rows)
