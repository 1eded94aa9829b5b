"""Public tables by name, such as `keel:yeast4`: files in the user's cache, read as a user's own tables are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import InputError
from bench.tasks import keel_files, scikit_learn_tables
from bench.tasks.fetched_files import FetchedFiles
from bench.tasks.keel_files import BINARY, KEEL, KEEL_MANY_CLASSES, MANY_CLASSES, TARGET
from bench.tasks.scikit_learn_tables import ScikitLearnTable
from bench.tasks.task_registry import KnownTask, add_task
from bench.user_data.public_data import PublicData
from bench.user_data.table_task import PreparedTable, TableTask
from strategies.notation import NotationError, did_you_mean, parse_call


@dataclass(frozen=True)
class PublicTable(PublicData, TableTask):
    """A table that `imbench fetch` keeps."""

    files: FetchedFiles = field(default=KEEL)
    """The files that it is one of."""

    def prepare(self) -> PreparedTable:
        """Return the table, read and checked; raises MissingData if it was not fetched."""
        self.files.verify()
        return super().prepare()


def keel_table(text: str, conll2003: Path | None = None) -> PublicTable:
    """Return the task that `keel:NAME` names; an InputError names the nearest tables where there is none."""
    name = text.strip().removeprefix("keel:").strip()
    if name not in (*BINARY, *MANY_CLASSES):
        near = did_you_mean(name, [*BINARY, *MANY_CLASSES])
        raise InputError(f"keel:{name}: KEEL has no imbalanced table of this name here; {near}")
    files = KEEL if name in BINARY else KEEL_MANY_CLASSES
    return PublicTable(
        str(files.directory / f"{name}.csv"),
        keel_files.TARGETS.get(name, TARGET),
        name=f"keel:{name}",
        notes=(keel_files.NOTICE,),
        files=files,
    )


def openml_table(text: str, conll2003: Path | None = None) -> PublicTable:
    """Return the task that `openml:ID` names; an InputError where ID is no number."""
    return _scikit_learn_table(ScikitLearnTable.of_openml(text.strip()))


def _scikit_learn_table(table: ScikitLearnTable) -> PublicTable:
    path = table.files.directory / scikit_learn_tables.FILE
    return PublicTable(str(path), TARGET, name=table.files.name, notes=(table.notice,), files=table.files)


def _build(table: ScikitLearnTable) -> Callable[[str, Path | None], PublicTable]:
    def build_task(text: str, conll2003: Path | None) -> PublicTable:
        name, unnamed, named = parse_call(text)
        if unnamed or named:
            raise NotationError(f"{name} has no parameters")
        return _scikit_learn_table(table)

    return build_task


add_task(
    "keel:NAME",
    KnownTask(
        "an imbalanced table of KEEL, such as keel:yeast4: 100 of two classes, 4 of many; imbench list keel names them",
        keel_table,
        "not stated; cite KEEL",
        origin=__name__,
        how_to_get=lambda: KEEL.how_to_get,
    ),
)
add_task(
    "openml:ID",
    KnownTask(
        "a table of OpenML by its number, such as openml:31, with the label that OpenML names",
        openml_table,
        "on its page",
        origin=__name__,
        how_to_get=lambda: "run: imbench fetch openml:ID",
    ),
)
_DESCRIPTIONS = {
    "covertype": "Covertype: 581,012 patches of forest, label: the kind of trees, seven",
    "kddcup99": "KDD Cup 99, the tenth of it: 494,021 connections, label: the kind of attack, 23",
}
for _table in scikit_learn_tables.TABLES:
    _name = _table.files.name
    add_task(_name, KnownTask(_DESCRIPTIONS[_name], _build(_table), "CC BY 4.0", origin=f"{__name__} {_name}"))
