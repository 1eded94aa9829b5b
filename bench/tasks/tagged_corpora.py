"""The tagging tasks by name: CoNLL-2003, the synthetic corpus, and a user's own files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np

from bench.tasks.conll2003 import FETCHED, load_conll2003
from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import Corpus
from bench.tasks.imbalance import Imbalance
from bench.tasks.part_files import find_part_files
from bench.tasks.synthetic_conll import PART_SIZES, TAG_COUNTS, synthesise
from bench.tasks.tag_schemes import Scheme
from bench.tasks.tagging_task import Kind, tagging_task
from bench.tasks.task import Substitute, Task, TaskSpec
from bench.tasks.task_registry import KnownTask, add_task, register_task
from strategies.notation import NotationError, build, parse_call, write

_SENTENCES, _WORDS = map(sum, zip(*PART_SIZES.values(), strict=True))
_TAGS = tuple(sorted(TAG_COUNTS.values(), reverse=True))
CONLL2003: dict[Kind, Imbalance] = {
    "windows": Imbalance(_WORDS, _TAGS),
    "windows-tags": Imbalance(_WORDS, (1_319_783, 48_715, 47_306, 40_796, 34_604, 27_586, 25_994, 8_547, 8_532)),
    "sentences": Imbalance(_SENTENCES, _TAGS),
}
"""Sizes and class counts of CoNLL-2003, so that it need not be read to be listed."""


@dataclass(frozen=True)
class Tagging:
    """What the tagging tasks share: the kind of their items."""

    kind: Kind = "windows"

    def read(self) -> Corpus:
        """Return the corpus before it becomes a task."""
        raise NotImplementedError

    def find_files(self) -> dict[str, Path]:
        """Return the user's file of each part, train first; none for a corpus that comes from elsewhere."""
        return {}


@dataclass(frozen=True)
class Conll2003(Tagging, TaskSpec):
    """CoNLL-2003 English, from `directory` if given, else from the cache; if missing, the synthetic corpus replaces it."""

    directory: Path | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return f"conll2003-{self.kind}"

    @property
    def imbalance(self) -> Imbalance | None:
        return CONLL2003[self.kind] if self.directory is None else None

    @property
    def how_to_get(self) -> str:
        return "" if self.directory is not None else FETCHED.how_to_get

    @property
    def substitute(self) -> Substitute:
        return Substitute(SyntheticConll(self.kind), "synthetic-conll, a synthetic corpus, replaces conll2003")

    def read(self) -> Corpus:
        return load_conll2003(self.directory)

    def load(self, rng: np.random.Generator) -> Task:
        return _prepare(self.kind, load_conll2003, self.directory)


@register_task
@dataclass(frozen=True)
class SyntheticConll(Tagging, TaskSpec):
    """A synthetic corpus with the statistics of CoNLL-2003; `scale` 1 is its full size."""

    name: ClassVar[str] = "synthetic-conll"
    description: ClassVar[str] = (
        "a synthetic corpus with the statistics of CoNLL-2003 (kind=windows|windows-tags|sentences, scale, seed)"
    )
    licence: ClassVar[str] = "Apache-2.0"

    scale: float = 1.0
    seed: int = 0

    @property
    def imbalance(self) -> Imbalance | None:
        same = self.scale == 1 and self.kind != "windows-tags"  # whose neighbours vary with the seed
        return CONLL2003[self.kind] if same else None

    def read(self) -> Corpus:
        return synthesise(self.scale, self.seed)

    def load(self, rng: np.random.Generator) -> Task:
        return _prepare(self.kind, synthesise, self.scale, self.seed)


@dataclass(frozen=True)
class ConllFiles(Tagging, TaskSpec):
    """A user's tagged files in `directory`."""

    token_column: int | None = None
    tag_column: int | None = None
    scheme: Scheme | None = "auto"
    directory: Path = field(default=Path(), repr=False)

    @property
    def label(self) -> str:
        return write(f"conll:{self.directory.resolve().name}", self)

    @property
    def data_location(self) -> str:
        return str(self.directory.resolve())

    def load(self, rng: np.random.Generator) -> Task:
        return _prepare(self.kind, self.read)

    def find_files(self) -> dict[str, Path]:
        return find_part_files(self.directory)

    def read(self) -> Corpus:
        return read_corpus(
            self.directory, token_column=self.token_column, tag_column=self.tag_column, scheme=self.scheme
        )


def _build_conll2003(kind: Kind) -> Callable[[str, Path | None], TaskSpec]:
    def build_task(text: str, conll2003: Path | None) -> TaskSpec:
        name, unnamed, named = parse_call(text)
        if unnamed or named:
            raise NotationError(f"{name} has no parameters")
        return Conll2003(kind, conll2003)

    return build_task


def _build_conll_files(text: str, conll2003: Path | None) -> TaskSpec:
    """Build a task from `conll:DIR` or `conll:DIR(parameters)`; only the last brackets can be parameters."""
    name, bracket, parameters = text, "", ""
    if "(" in text and not _directory(text).is_dir():
        name, bracket, parameters = text.rpartition("(")
    _, unnamed, named = parse_call(f"conll{bracket}{parameters}")
    if name.strip() == "conll:":
        raise NotationError("the directory is missing; write conll:DIR, for example conll:path/to/corpus")
    return replace(build(ConllFiles, name, unnamed, named), directory=_directory(name))


def _directory(name: str) -> Path:
    return Path(name.strip().removeprefix("conll:")).expanduser()


_ITEMS: dict[Kind, str] = {
    "windows": "nine-word windows, label: the tag of the middle word",
    "windows-tags": "nine-word windows, labels: the tags of all nine words",
    "sentences": "whole sentences, one tag per word",
}
for _kind in get_args(Kind):
    add_task(
        f"conll2003-{_kind}",
        KnownTask(f"CoNLL-2003, {_ITEMS[_kind]}", _build_conll2003(_kind), "Reuters, for research only"),
    )
add_task("conll:DIR", KnownTask("your own tagged files (kind, token_column, tag_column, scheme)", _build_conll_files))


@cache
def _prepare(kind: Kind, read: Callable[..., Corpus], *arguments: Any) -> Task:
    """Read a corpus and prepare it as a task, once per process: its split is fixed."""
    return tagging_task(read(*arguments), kind)


def forget_prepared_tasks() -> None:
    """Prepare every corpus again when it is next loaded."""
    _prepare.cache_clear()
