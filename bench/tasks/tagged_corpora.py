"""The tagging tasks by name: CoNLL-2003, the synthetic corpus, and a user's own files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.tasks.conll2003 import load_conll2003
from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import Corpus
from bench.tasks.part_files import find_part_files
from bench.tasks.synthetic_conll import synthesise
from bench.tasks.tag_schemes import Scheme
from bench.tasks.tagging_task import Kind, tagging_task
from bench.tasks.task import Substitute, Task, TaskSpec
from strategies.notation import write


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
    def substitute(self) -> Substitute:
        return Substitute(SyntheticConll(self.kind), "synthetic-conll, a synthetic corpus, replaces conll2003")

    def read(self) -> Corpus:
        return load_conll2003(self.directory)

    def load(self, rng: np.random.Generator) -> Task:
        return _prepare(self.kind, load_conll2003, self.directory)


@dataclass(frozen=True)
class SyntheticConll(Tagging, TaskSpec):
    """A synthetic corpus with the statistics of CoNLL-2003; `scale` 1 is its full size."""

    scale: float = 1.0
    seed: int = 0

    @property
    def label(self) -> str:
        return write("synthetic-conll", self)

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


@cache
def _prepare(kind: Kind, read: Callable[..., Corpus], *arguments: Any) -> Task:
    """Read a corpus and prepare it as a task, once per process: its split is fixed."""
    return tagging_task(read(*arguments), kind)


def forget_prepared_tasks() -> None:
    """Prepare every corpus again when it is next loaded."""
    _prepare.cache_clear()
