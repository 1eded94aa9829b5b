"""What samplers took before: ratios kept for one processor, one torch and one numba."""

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
REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "sampler-speed"
"""Baselines that come with the source tree."""

Rounds = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
Ratios = dict[str, Annotated[list[Rounds], Field(min_length=1)]]
"""Each sampler's time over the floor's: rounds by process."""


@dataclass(frozen=True)
class Key:
    """What a baseline holds for."""

    cpu: str
    torch: str
    numba: str

    def __str__(self) -> str:
        return f"{self.cpu}, torch {self.torch}, numba {self.numba}"


@dataclass(frozen=True)
class Baseline:
    """Ratios measured under a key."""

    key: Key
    ratios: Ratios
    schema_version: int = SCHEMA


def key_here() -> Key:
    """The key of this machine and installation."""
    return Key(processor(), package("torch"), package("numba"))


def recorded() -> Path:
    """The file in the user's cache that holds this machine's baseline, or will."""
    key = key_here()
    return _cache() / f"{file_stem(str(key))}.json"


def find(asked: Path | None) -> tuple[Path, Baseline] | None:
    """The baseline asked for, else the one for this key that came with the source tree or was recorded; None without one."""
    if asked is not None:
        baseline = read(asked)
        if baseline.key != key_here():
            raise InputError(f"{asked}: was measured on {baseline.key}; this is {key_here()}; leave out --baseline")
        return asked, baseline
    found = ((path, read(path)) for path in _known())
    return next(((path, baseline) for path, baseline in found if baseline.key == key_here()), None)


def read(path: Path) -> Baseline:
    """A baseline file; an `InputError` if it is none, or one of another schema."""
    mend = "give another with --baseline, or remove it and run again to record a new one"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read as a baseline ({error.strerror}); {mend}") from None
    try:
        schema = json.loads(content).get("schema_version")
        if schema != SCHEMA:
            raise InputError(f"{path}: is of schema {schema}, this version reads schema {SCHEMA}; {mend}")
        return TypeAdapter(Baseline).validate_json(content)
    except (ValueError, AttributeError):  # pydantic's errors are ValueErrors
        raise InputError(f"{path}: is not a baseline of sampler speed; {mend}") from None


def record(ratios: Ratios) -> Path:
    """Keeps the ratios as this machine's baseline; the path."""
    path = recorded()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(Baseline(key_here(), ratios)), indent=1) + "\n", encoding="utf-8")
    return path


def _known() -> Iterable[Path]:
    return [*sorted(REFERENCE.glob("*.json")), *([recorded()] if recorded().exists() else [])]


def _cache() -> Path:
    return cache_directory().with_name("sampler-speed")
