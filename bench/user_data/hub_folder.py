"""Folders in the layout of the Hugging Face hub: which files hold which part, their rows, and their classes by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.tasks.corpus import PARTS
from bench.tasks.part_files import parts_named_in
from bench.user_data.hub_features import ClassNames, parse_schema_metadata, read_card_classes
from bench.user_data.table_file import read_table

_SUFFIXES = (".parquet", ".arrow", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_ABOUT = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_SAVED = "state.json"


@dataclass(frozen=True)
class HubData:
    """The rows of each part, train first, and the names of the classes that columns hold as numbers."""

    name: str
    parts: dict[str, pd.DataFrame]
    classes: ClassNames
    notes: tuple[str, ...] = ()


def is_hub_folder(folder: Path) -> bool:
    """Return whether a folder holds files of tables in the hub's layout, or what `save_to_disk` wrote."""
    return bool(_data_files(folder))


def find_part_tables(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each part, in order; `data/train-00000-of-00001.parquet`, `train.csv`, `test/data.jsonl`.

    A part is named by a word of the file's name, or of the folder that it is in; one file alone is train.
    Raises an InputError where files belong to more than one data set, or to no part.
    """
    files = _data_files(folder)
    suffixes = {_suffix(path) for path in files}
    if len(suffixes) > 1:
        raise InputError(
            f"{folder}: it holds files of {' and '.join(sorted(suffixes))}; give one file, or one folder per data set"
        )
    parts: dict[str, list[Path]] = {}
    unnamed = []
    for path in files:
        named = _find_part(path, folder)
        if named is None:
            unnamed.append(path)
        else:
            parts.setdefault(named, []).append(path)
    if not parts and len({_series(path, folder) for path in unnamed}) == 1:
        return {"train": unnamed}
    if unnamed and not parts:
        raise InputError(
            f"{folder}: {_list(unnamed, folder)} are no parts of one data set by their names; give one of the files"
        )
    for part, paths in parts.items():
        if len(series := {_series(path, folder) for path in paths}) > 1:
            inner = sorted({path.parent for path in paths})
            fix = f"give one folder: {' or '.join(map(str, inner[:9]))}" if len(inner) > 1 else "move the others away"
            raise InputError(f"{folder}: {len(series)} data sets have a part {part}: {_list(paths, folder)}; {fix}")
    if "train" not in parts:
        if len(parts) > 1:
            raise InputError(f"{folder}: no file for train; found {_list(files, folder)}; rename or add it")
        parts = {"train": next(iter(parts.values()))}
    return {part: parts[part] for part in PARTS if part in parts}


def read_hub_folder(folder: Path, parts: Mapping[str, list[Path]]) -> HubData:
    """Read the files of a folder's parts; class names come from the files' own features, or else from the folder's card."""
    classes: ClassNames = {}
    frames = {}
    for part, paths in parts.items():
        read = [_read_rows(path) for path in paths]
        frames[part] = pd.concat([frame for frame, _ in read], ignore_index=True)
        for _, found in read:
            classes |= found
    return HubData(folder.resolve().name, frames, classes or read_card_classes(folder))


def name_classes(frame: pd.DataFrame, classes: ClassNames, place: str) -> pd.DataFrame:
    """Return the frame with names in place of class numbers; -1, with which the hub marks a missing label, becomes missing.

    Raises an InputError for a number without a name.
    """
    named = {column: names for column, names in classes.items() if column in frame}
    return frame.assign(
        **{column: _name_values(frame[column], names, f"{place}, {column}") for column, names in named.items()}
    )


def _name_values(values: pd.Series[Any], names: tuple[str, ...], place: str) -> pd.Series[Any]:
    def name_of(number: Any) -> str | None:
        if isinstance(number, str):  # files of text write numbers so
            if number in names or not number.removeprefix("-").isdecimal():
                return number or None
            number = int(number)
        if number is None or number != number or number == -1:
            return None
        if not 0 <= number < len(names):
            raise InputError(
                f"{place}: the class {number} has no name; its {len(names)} names are {', '.join(names[:9])}"
            )
        return names[int(number)]

    def convert(value: Any) -> Any:
        return (
            [name_of(number) for number in value]
            if getattr(value, "ndim", 0) or isinstance(value, list)
            else name_of(value)
        )

    return pd.Series([convert(value) for value in values], index=values.index, dtype=object)


def _data_files(folder: Path) -> list[Path]:
    """Return the files of tables in a folder and two levels below, without those that describe them."""
    found = (path for pattern in ("*", "*/*", "*/*/*") for path in folder.glob(pattern))
    return sorted(
        path for path in found if _suffix(path) in _SUFFIXES and path.name not in _ABOUT and _is_shown(path, folder)
    )


def _is_shown(path: Path, folder: Path) -> bool:
    inner = path.relative_to(folder).parts
    # `datasets` keeps what map() computed next to the data that save_to_disk wrote.
    return path.is_file() and not any(name.startswith((".", "cache-", "tmp")) for name in inner)


def _suffix(path: Path) -> str:
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()


def _find_part(path: Path, folder: Path) -> str | None:
    """Return the part that a file holds, by its name or else by the innermost folder that names one."""
    for name in reversed(path.relative_to(folder).parts):
        if len(named := parts_named_in(Path(name), glued=False)) == 1:
            return named.pop()
    return None


def _series(path: Path, folder: Path) -> str:
    """Return what the shards of one part share."""
    in_saved = (path.parent / _SAVED).is_file()
    inner = path.relative_to(folder)
    return str(inner.parent) if in_saved else _SHARD.sub("", str(inner))


def _list(paths: Iterable[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) for path in paths]
    return ", ".join(names[:9]) + (" ..." if len(names) > 9 else "")


def _read_rows(path: Path) -> tuple[pd.DataFrame, ClassNames]:
    """Return the rows of a file and the class names that it holds itself."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    readers: dict[str, Callable[[Path], pa.Table]] = {
        ".parquet": lambda path: parquet.ParquetFile(path).read(),  # read_table would read names of folders as columns
        ".arrow": lambda path: ipc.open_stream(path.read_bytes()).read_all(),
    }
    if _suffix(path) not in readers:
        return read_table(path).frame, {}
    try:
        table = readers[_suffix(path)](path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: cannot be read ({' '.join(str(error).split())[:80]}); copy or download it again"
        ) from None
    return table.to_pandas(), parse_schema_metadata(table.schema.metadata or {})
