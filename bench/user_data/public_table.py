"""Public tables by name, such as `keel:yeast4`: files in the user's cache, read as a user's own tables are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from bench.tasks import keel_files
from bench.tasks.fetched_files import FetchedFiles
from bench.tasks.keel_files import BINARY, KEEL, KEEL_MANY_CLASSES, MANY_CLASSES
from bench.tasks.task_registry import KnownTask, add_task
from bench.user_data.table_task import PreparedTable, TableTask
from strategies.notation import did_you_mean


@dataclass(frozen=True)
class PublicTable(TableTask):
    """A table that `imbench fetch` keeps; its label is the last column."""

    files: FetchedFiles | None = None
    """The files that it is one of."""

    @property
    def licence(self) -> str:
        return "not stated; cite KEEL"

    @property
    def data_set(self) -> str:
        return "" if self.files is None else self.files.name

    @property
    def how_to_get(self) -> str:
        return "" if self.files is None else self.files.how_to_get

    @property
    def data_location(self) -> str:
        return ""

    def prepare(self) -> PreparedTable:
        """Return the table, read and checked; raises MissingData if it was not fetched."""
        if self.files is not None:
            self.files.verify()
        return super().prepare()


def keel_table(text: str, conll2003: Path | None = None) -> PublicTable:
    """Return the task that `keel:NAME` names; an InputError names the nearest tables where there is none."""
    name = text.strip().removeprefix("keel:").strip()
    files = next((files for files, names in _KEEL_NAMES.items() if name in names), None)
    if files is None:
        known = [table for names in _KEEL_NAMES.values() for table in names]
        raise InputError(f"keel:{name}: KEEL has no imbalanced table of this name here; {did_you_mean(name, known)}")
    return PublicTable(
        str(files.directory / f"{name}.csv"),
        keel_files.TARGETS.get(name, keel_files.TARGET),
        name=f"keel:{name}",
        notes=(keel_files.NOTICE,),
        files=files,
    )


_KEEL_NAMES = {KEEL: BINARY, KEEL_MANY_CLASSES: MANY_CLASSES}
add_task(
    "keel:NAME",
    KnownTask(
        "a table of KEEL, such as keel:yeast4: 100 imbalanced ones of two classes, and "
        + ", ".join(f"keel:{name}" for name in MANY_CLASSES),
        keel_table,
        "not stated; cite KEEL",
        origin="bench.user_data.public_table",
        how_to_get=lambda: KEEL.how_to_get,
    ),
)
