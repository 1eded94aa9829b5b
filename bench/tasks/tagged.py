"""The tagging tasks by name: CoNLL-2003, the synthetic corpus, and a reader's own files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bench.tasks.conll2003 import load_conll2003
from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import Corpus
from bench.tasks.synthetic_conll import synthesise
from bench.tasks.tagging import Kind, tagging_task
from bench.tasks.task import Task
from strategies.notation import write


@dataclass(frozen=True)
class Tagging:
    """What the tagging tasks share: the kind of their items."""

    kind: Kind = "windows"


@dataclass(frozen=True)
class Conll2003(Tagging):
    """CoNLL-2003 English; `directory` holds the text, where it is not the cached one."""

    directory: Path | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return f"conll2003-{self.kind}"

    def load(self, seed: int) -> Task:
        return _prepared(self.kind, load_conll2003, self.directory)


@dataclass(frozen=True)
class SyntheticConll(Tagging):
    """A made corpus with the statistics of CoNLL-2003; `scale` 1 is its full size."""

    scale: float = 1.0
    seed: int = 0

    @property
    def label(self) -> str:
        return write("synthetic-conll", self)

    def load(self, seed: int) -> Task:
        return _prepared(self.kind, synthesise, self.scale, self.seed)


@dataclass(frozen=True)
class ConllFiles(Tagging):
    """A reader's own tagged files in `directory`."""

    token_column: int = 0
    tag_column: int = -1
    scheme: Literal["bio", "iob1"] = "bio"
    directory: Path = field(default=Path(), repr=False)

    @property
    def label(self) -> str:
        return write(f"conll:{self.directory.resolve().name}", self)

    def load(self, seed: int) -> Task:
        return _prepared(self.kind, self._read)

    def _read(self) -> Corpus:
        return read_corpus(
            self.directory, token_column=self.token_column, tag_column=self.tag_column, scheme=self.scheme
        )


@cache
def _prepared(kind: Kind, read: Callable[..., Corpus], *arguments: Any) -> Task:
    """The task of one kind: tagged text has a split of its own, so it is read and prepared once a process."""
    return tagging_task(read(*arguments), kind)


def forget() -> None:
    """What was prepared is prepared again when it is asked for."""
    _prepared.cache_clear()
