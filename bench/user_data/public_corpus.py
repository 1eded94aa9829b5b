"""Public corpora by name, such as `wnut17`: files in the user's cache, read as a user's own tagged files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.tasks import open_corpora
from bench.tasks.fetched_files import FetchedFiles
from bench.tasks.open_corpora import OpenCorpus
from bench.tasks.tagged_corpora import Tagging
from bench.tasks.task import Task
from bench.tasks.task_registry import KnownTask, add_task
from bench.user_data.corpus_task import CorpusTask
from bench.user_data.public_data import PublicData
from strategies.notation import build, parse_call


@dataclass(frozen=True)
class PublicCorpus(PublicData, CorpusTask):
    """A tagged corpus that `imbench fetch` keeps."""

    files: FetchedFiles = field(default=open_corpora.CORPORA[0].files, repr=False)

    def prepare(self) -> Task:
        """Return the task, read and checked; raises MissingData if it was not fetched."""
        self.files.verify()
        return super().prepare()


def _build(corpus: OpenCorpus) -> Callable[[str, Path | None], PublicCorpus]:
    def build_task(text: str, conll2003: Path | None) -> PublicCorpus:
        kind = build(Tagging, *parse_call(text)).kind
        path = str(corpus.files.directory)
        return PublicCorpus(kind, path=path, name=corpus.name, notes=(corpus.notice,), files=corpus.files)

    return build_task


for _corpus in open_corpora.CORPORA:
    add_task(
        _corpus.name,
        KnownTask(
            f"{_corpus.description} (kind=windows|windows-tags|sentences)",
            _build(_corpus),
            _corpus.licence,
            origin=f"{__name__} {_corpus.name}",
        ),
    )
