"""A user's tagged text as a task: CoNLL files, or tables whose rows hold the words and tags of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from bench.errors import InputError
from bench.tasks.column_files import TaggedFile
from bench.tasks.conll_files import build_corpus, read_part_files
from bench.tasks.corpus import Corpus
from bench.tasks.part_files import find_part_files
from bench.tasks.tag_schemes import Scheme
from bench.tasks.tagged_corpora import Tagging
from bench.tasks.tagging_task import tagging_task
from bench.tasks.task import Task, TaskSpec
from bench.user_data.hub_features import read_parquet_classes
from bench.user_data.table_file import read_table
from bench.user_data.token_lists import choose_columns, read_token_lists
from strategies.notation import write

TABLE_SUFFIXES = (".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".gz")
"""Endings of files whose rows are sentences."""


@dataclass(frozen=True)
class CorpusTask(Tagging, TaskSpec):
    """The sentences of a directory or a file; `source.find_source` describes the fields.

    `target` and `text` are the columns of tags and of words: names where the rows are sentences, numbers from 0 in CoNLL files.
    """

    scheme: Scheme | None = "auto"
    path: str = field(default="", repr=False)
    target: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    valid_file: str = field(default="", repr=False)
    test_file: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    """Of the corpus, where it is not the name of the file or directory."""
    notes: tuple[str, ...] = field(default=(), repr=False)
    """What a user of the results should know, besides what is found when the files are read."""

    @property
    def label(self) -> str:
        return write(self.name or Path(self.path).resolve().name, self)

    @property
    def data_location(self) -> str:
        return str(Path(self.path).resolve())

    def find_files(self) -> dict[str, Path]:
        """Return the file of each part, train first; valid and test may have none."""
        path = Path(self.path)
        files = find_part_files(path) if path.is_dir() else {"train": path}
        given = {"valid": self.valid_file, "test": self.test_file}
        files |= {part: Path(name) for part, name in given.items() if name}
        for part, name in given.items():
            if name and not files[part].is_file():
                raise InputError(f"--{part} {name}: there is no such file; check the path")
        return files

    def read(self) -> Corpus:
        files = self.find_files()
        name = self.name or Path(self.path).resolve().name
        if files["train"].suffix.lower() in TABLE_SUFFIXES:
            return self._read_tables(files, name)
        columns = {
            "token_column": self._number(self.text, "--text"),
            "tag_column": self._number(self.target, "--target"),
        }
        return read_part_files(files, name, scheme=self.scheme, **columns)

    def load(self, rng: np.random.Generator) -> Task:
        return self.prepare()

    def prepare(self) -> Task:
        """Return the task, read and checked; it is read once per process, and again after its files changed."""
        states = tuple(
            (part, path.stat().st_mtime_ns, path.stat().st_size)
            for part, path in self.find_files().items()
            if path.is_file()
        )
        return _prepare(self, states)

    def _read_tables(self, files: Mapping[str, Path], name: str) -> Corpus:
        parts: dict[str, TaggedFile] = {}
        notes: list[str] = []
        words, tags = self.text, self.target
        for part, path in files.items():
            table = read_table(path)
            words, tags, choice = choose_columns(table.frame, str(path), words, tags)
            parts[part], left_out = read_token_lists(
                table.frame, path, words, tags, read_parquet_classes(path).get(tags, ())
            )
            notes += [*table.notes, *choice, *left_out]
        return build_corpus(parts, name, scheme=self.scheme, notes=list(dict.fromkeys(notes)))

    def _number(self, column: str, option: str) -> int | None:
        if not column:
            return None
        if not column.removeprefix("-").isdecimal():
            raise InputError(
                f"{option} {column}: columns of CoNLL files have numbers, from 0, or from -1 at the end; give one of them"
            )
        return int(column)


@lru_cache(maxsize=4)
def _prepare(spec: CorpusTask, states: tuple[tuple[str, int, int], ...]) -> Task:
    corpus = spec.read()
    task = tagging_task(corpus, spec.kind)
    scheme = "the tags are in BIO" if corpus.entities and not any("to BIO" in note for note in corpus.notes) else ""
    return replace(task, notes=(*spec.notes, *filter(None, [scheme]), *task.notes))
