"""Data sets of the Hugging Face hub, by name or in a folder of its layout, as tasks of tables, texts or tagged sentences."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import pandas as pd

from bench.errors import InputError
from bench.tasks.fetched_files import cache_root
from bench.tasks.part_files import parts_named_in
from bench.tasks.task import TaskSpec
from bench.user_data.corpus_task import CorpusTask
from bench.user_data.hub_features import parse_schema_metadata
from bench.user_data.hub_folder import HubData, find_part_tables, name_classes, read_hub_folder
from bench.user_data.table_file import write_frame
from bench.user_data.table_task import TableTask
from bench.user_data.text_encodings import TextFeatures
from bench.user_data.token_lists import choose_columns, list_columns

PREFIX = "hf:"
TARGETS = ("label", "labels", "target", "class", "coarse_label", "fine_label")
TEXTS = ("text", "sentence", "content", "review", "document", "comment", "tweet")
"""Usual names of the columns, the first one preferred."""
WORDS_OF_TEXT = 3
"""Words per value, on average, from which a column of strings is text."""
_SECONDS_TO_CONNECT = 5


@dataclass(frozen=True)
class Wishes:
    """What the user asked for, as `source.find_source` describes it."""

    target: str = ""
    text: str = ""
    group: str = ""
    time: str = ""
    valid: str = ""
    test: str = ""
    drop: tuple[str, ...] = ()
    features: TextFeatures = "ngrams"


def find_folder_task(folder: Path, wishes: Wishes) -> TaskSpec:
    """Return the task of a folder in the hub's layout, or of one that `save_to_disk` wrote."""
    return _make_task(read_hub_folder(folder, find_part_tables(folder)), wishes)


def find_hub_task(name: str, wishes: Wishes) -> TaskSpec:
    """Return the task of `hf:NAME` or `hf:NAME/CONFIG`, downloaded by the library datasets into its own cache.

    Raises an InputError of one line where the library or a connection is missing, or the hub has no such data set.
    """
    return _make_task(_load_hub_data(name.removeprefix(PREFIX).strip("/ ")), wishes)


def _load_hub_data(name: str) -> HubData:
    _skip_retries_without_a_connection()
    try:
        import datasets
    except ModuleNotFoundError:
        raise InputError(f'{PREFIX}{name} needs the library datasets: pip install "imbalance-bench[hf]"') from None
    if not name:
        raise InputError(
            f"{PREFIX} names no data set; write {PREFIX}NAME or {PREFIX}NAME/CONFIG, such as {PREFIX}ag_news"
        )
    *owner, last = name.split("/")
    calls: list[tuple[str, str | None]] = [(name, None)] if len(owner) < 2 else []
    calls += [("/".join(owner), last)] if owner else []
    datasets.disable_progress_bars()
    for place, (path, configuration) in enumerate(calls, 1):
        try:
            loaded = datasets.load_dataset(path, configuration)
        except datasets.exceptions.DatasetNotFoundError:
            if place < len(calls):
                continue
            raise InputError(
                f"{PREFIX}{name}: the hub has no such data set, or it is not public; check the name"
            ) from None
        except Exception as error:  # whatever the library, the network or the data set's own files raise
            raise InputError(f"{PREFIX}{name}: {_explain(error)}") from None
        break
    frames: dict[str, pd.DataFrame] = {}
    left_out = []
    for split, rows in loaded.items():
        named = parts_named_in(Path(split), glued=False)
        if len(named) == 1:
            frames[named.pop()] = rows.to_pandas()
        else:
            left_out.append(split)
    any_split = next(iter(loaded.values()))
    if "train" not in frames:
        if len(loaded) > 1:
            raise InputError(f"{PREFIX}{name}: no split named train; found: {', '.join(loaded)}")
        frames, left_out = {"train": any_split.to_pandas()}, []
    terms = any_split.info.license or "none named; read the terms on its page"
    notes = [f"{name} comes from the Hugging Face hub; licence: {terms}"]
    notes += [f"splits left out: {', '.join(left_out)}"] if left_out else []
    metadata = any_split.features.arrow_schema.metadata or {}
    return HubData(name, frames, parse_schema_metadata(metadata), tuple(notes))


def _skip_retries_without_a_connection() -> None:
    """Let the libraries of the hub read from their cache alone where the hub cannot be reached; else they try for half a minute.

    It acts only before their first import. A proxy may reach the hub where this process does not.
    """
    host = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co")).hostname
    if not getproxies():
        try:
            socket.create_connection((host, 443), timeout=_SECONDS_TO_CONNECT).close()
        except OSError:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")


def _explain(error: Exception) -> str:
    """Return one line on why a data set could not be loaded."""
    text = " ".join(str(error).split())
    if "config" in text.lower() and (names := re.findall(r"'([^']+)'", text)):
        return f"it has several configurations; write {PREFIX}NAME/CONFIG with one of {', '.join(dict.fromkeys(names))[:200]}"
    if isinstance(error, OSError):
        return (
            f"the hub cannot be reached ({type(error).__name__}), and the data set is not in the cache of datasets; connect, or "
            "give a folder that holds its files"
        )
    return f"{type(error).__name__}: {text[:200]}; download its files, and give their folder"


def _make_task(data: HubData, wishes: Wishes) -> TaskSpec:
    """Choose the columns, write the parts with their classes by name to the cache, and return the task that reads them."""
    train = data.parts["train"]
    lists = list_columns(train)
    tagged = [name for name in lists if name in data.classes or wishes.target == name]
    if len(lists) > 1 and (wishes.target in lists if wishes.target else not _find_target(data)):
        words, tags, notes = choose_columns(
            train, data.name, wishes.text, wishes.target or (tagged[0] if len(tagged) == 1 else "")
        )
        data, left_out = _drop_unlabelled(data, tags)
        paths = _write_parts(data, [words, tags])
        return CorpusTask(
            path=str(paths["train"]),
            target=tags,
            text=words,
            valid_file=wishes.valid or str(paths.get("valid", "")),
            test_file=wishes.test or str(paths.get("test", "")),
            name=data.name,
            notes=(*data.notes, *left_out, *notes),
        )
    target = wishes.target or _find_target(data)
    if not target:
        raise InputError(
            f"{data.name}: name the column to predict with --target; its columns: {', '.join(map(str, train))}"
        )
    text = wishes.text or ("" if target not in train else _find_text(train.drop(columns=target), data.name))
    data, left_out = _drop_unlabelled(data, target)
    for part, frame in data.parts.items():
        if absent := [column for column in (target, text) if column and column not in frame]:
            raise InputError(
                f"{data.name}: {part} has no column {absent[0]!r}; its columns: {', '.join(map(str, frame))}"
            )
    paths = _write_parts(data, [str(name) for name in train])
    chosen = [
        f"{column}, the {what}"
        for column, what, asked in ((target, "column to predict", wishes.target), (text, "text", wishes.text))
        if column and not asked
    ]
    notes = [f"chosen by the data set's features: {' and '.join(chosen)}"] if chosen else []
    return TableTask(
        str(paths["train"]),
        target,
        text=text,
        group=wishes.group,
        time=wishes.time,
        valid_file=wishes.valid or str(paths.get("valid", "")),
        test_file=wishes.test or str(paths.get("test", "")),
        drop=wishes.drop,
        features=wishes.features,
        name=data.name,
        notes=(*data.notes, *left_out, *notes),
    )


def _find_target(data: HubData) -> str:
    """Return the only column of class labels, or one with a usual name; empty where it is not clear."""
    train = data.parts["train"]
    lists = set(list_columns(train))
    labels = [name for name in data.classes if name in train and name not in lists]
    if len(labels) == 1:
        return labels[0]
    return next((name for name in TARGETS if name in train and name not in lists), "")


def _find_text(features: pd.DataFrame, name: str) -> str:
    """Return the column of text; empty where there is none. An InputError where two could be it."""
    texts = [str(column) for column in features if _is_text(features[column])]
    if len(texts) < 2:
        return "".join(texts)
    usual = [column for column in TEXTS if column in texts]
    if not usual:
        raise InputError(f"{name}: {len(texts)} columns hold texts: {', '.join(texts)}; name one with --text")
    return usual[0]


def _is_text(column: pd.Series[Any]) -> bool:
    values = column.dropna().head(1000)
    if not len(values) or not all(isinstance(value, str) for value in values):
        return False
    return (
        sum(len(value.split()) for value in values) >= WORDS_OF_TEXT * len(values)
        and values.nunique() > len(values) / 2
    )


def _drop_unlabelled(data: HubData, target: str) -> tuple[HubData, list[str]]:
    """Leave out parts whose labels the hub keeps to itself, which it marks by -1."""
    kept, notes = {}, []
    for part, frame in data.parts.items():
        frame = name_classes(frame, data.classes, f"{data.name}, {part}")
        hidden = part != "train" and target in frame and frame[target].isna().all()
        if hidden:
            notes.append(f"{part} is left out: none of its {len(frame):,} rows has a label")
        else:
            kept[part] = frame
    return HubData(data.name, kept, data.classes, data.notes), notes


def _write_parts(data: HubData, columns: Sequence[str]) -> dict[str, Path]:
    """Write each part as one Parquet file to the cache, in a folder that is named by their content."""
    root = cache_root() / "hugging-face"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=root) as drafts:
            digest = hashlib.sha256()
            for part, frame in data.parts.items():
                draft = Path(drafts, f"{part}.parquet")
                write_frame(frame[[column for column in columns if column in frame]], draft)
                digest.update(draft.read_bytes())
            folder = root / f"{data.name.replace('/', '--')}-{digest.hexdigest()[:12]}"
            folder.mkdir(exist_ok=True)
            for draft in Path(drafts).iterdir():
                draft.replace(folder / draft.name)
    except OSError as error:
        raise InputError(
            f"{root}: cannot be written ({error.strerror}); check its permissions, or set IMBENCH_CACHE to another one"
        ) from None
    return {part: folder / f"{part}.parquet" for part in data.parts}
