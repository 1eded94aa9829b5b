"""Baselines: the ratios of an earlier measurement, kept for one processor, one torch and one numba."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from bench.errors import InputError
from bench.machine.facts import package, processor
from bench.tasks.conll2003 import cache_directory
from bench.text.file_names import file_stem

SCHEMA = 1
REFERENCE = Path(__file__).parents[3] / "results" / "reference" / "sampler-speed"
"""The folder of the baselines that come with the source tree."""

Rounds = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
Ratios = dict[str, Annotated[list[Rounds], Field(min_length=1)]]
"""For each sampler its time relative to the reference loop: one list of rounds per process."""


@dataclass(frozen=True)
class MachineKey:
    """The processor and package versions that a baseline holds for."""

    cpu: str
    torch: str
    numba: str

    def __str__(self) -> str:
        return f"{self.cpu}, torch {self.torch}, numba {self.numba}"


@dataclass(frozen=True)
class Baseline:
    """The ratios that were measured on a machine."""

    key: MachineKey
    ratios: Ratios
    schema_version: int = SCHEMA


def current_key() -> MachineKey:
    """Return the key of this machine and installation."""
    return MachineKey(processor(), package("torch"), package("numba"))


def cached_path() -> Path:
    """Return the path in the user's cache where this machine's baseline is recorded; the file may not exist yet."""
    return cache_directory().with_name("sampler-speed") / _file_name()


def path_to_record(given: Path | None) -> Path:
    """Return where this machine's baseline is recorded: in the given file, in a given folder, or else in the user's cache."""
    if given is None:
        return cached_path()
    return given if given.suffix == ".json" else given / _file_name()


def _file_name() -> str:
    return f"{file_stem(str(current_key()))}.json"


def find_baseline(given: Path | None) -> tuple[Path, Baseline] | None:
    """Return the baseline to compare with and its path, or None if none was given and none is known for this machine.

    A given file must hold for this machine, and a given folder must have a file that does, else an `InputError` is raised: a
    check that is meant to compare must not pass without comparing. Where none is given, a baseline that comes with the source
    tree is preferred to one that was recorded in the user's cache.
    """
    if given is None:
        return _first_of_this_machine([*sorted(REFERENCE.glob("*.json")), *filter(Path.exists, [cached_path()])])
    if given.is_dir():
        found = _first_of_this_machine(sorted(given.glob("*.json")))
        if found is None:
            raise InputError(
                f"{given}: no file in it is a baseline of {current_key()}; add --record to record one there"
            )
        return found
    baseline = read_baseline(given)
    if baseline.key != current_key():
        raise InputError(
            f"{given}: was measured on {baseline.key}; this is {current_key()}; leave out --baseline, or give a folder with "
            "one file per machine"
        )
    return given, baseline


def _first_of_this_machine(paths: Iterable[Path]) -> tuple[Path, Baseline] | None:
    baselines = ((path, read_baseline(path)) for path in paths)
    return next(((path, baseline) for path, baseline in baselines if baseline.key == current_key()), None)


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file; raise an `InputError` if it is not one, or has another schema."""
    fix = "give another with --baseline, or add --record to measure and record a new one there"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read as a baseline ({error.strerror}); {fix}") from None
    try:
        schema = json.loads(content).get("schema_version")
        if schema != SCHEMA:
            raise InputError(f"{path}: has schema {schema}, this version reads schema {SCHEMA}; {fix}")
        return TypeAdapter(Baseline).validate_json(content)
    except (ValueError, AttributeError):  # pydantic's errors are ValueErrors
        raise InputError(f"{path}: is not a baseline of sampler speed; {fix}") from None


def record_baseline(ratios: Ratios, path: Path | None = None) -> Path:
    """Write the ratios as this machine's baseline to `path`, by default in the user's cache, and return the path."""
    path = path or cached_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(Baseline(current_key(), ratios)), indent=1) + "\n", encoding="utf-8")
    return path
