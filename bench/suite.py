"""A suite: the file that names what to run."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from bench.errors import InputError
from bench.protocol import Protocol
from bench.tasks import TaskSpec, find_task
from strategies import NotationError, Strategy, parse
from strategies.notation import did_you_mean

_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class _Block:
    task: str
    strategies: list[str] = Field(min_length=1)
    protocol: dict[str, int | float | str] = field(default_factory=dict)


@checked(frozen=True, config=_STRICT)
class _File:
    title: str
    seeds: int = Field(ge=1)
    block: list[_Block] = Field(min_length=1)


@dataclass(frozen=True)
class Block:
    """Strategies on one task under one protocol."""

    task: TaskSpec
    strategies: tuple[Strategy, ...]
    protocol: Protocol


@dataclass(frozen=True)
class Suite:
    """Blocks of strategies on tasks, each trained under `seeds` seeds."""

    name: str
    title: str
    seeds: int
    blocks: tuple[Block, ...]


def suites() -> list[str]:
    """Names of the suites that come with the package."""
    return sorted(path.name.removesuffix(".toml") for path in _shipped().iterdir() if path.name.endswith(".toml"))


def read_suite(name: str, conll2003: Path | None = None) -> Suite:
    """The suite of that name, or in that TOML file; `InputError` names file and line of what is wrong."""
    path = Path(name) if name.endswith(".toml") else Path(str(_shipped() / f"{name}.toml"))
    if not path.is_file():
        raise InputError(
            f"no suite {name!r}: a suite is {', '.join(suites())}, or the path of a file that ends in .toml"
        )
    try:
        text = path.read_text(encoding="utf-8")
        file = TypeAdapter(_File).validate_python(tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise InputError(_first_complaint(path, text, error)) from None
    return Suite(path.stem, file.title, file.seeds, tuple(_block(path, text, each, conll2003) for each in file.block))


def _shipped() -> Any:
    return resources.files("bench") / "suites"


def _block(path: Path, text: str, block: _Block, conll2003: Path | None) -> Block:
    culprit = block.task
    try:
        task = find_task(block.task, conll2003)
        strategies = []
        for culprit in block.strategies:
            strategies.append(parse(culprit))
        culprit = next(iter(block.protocol), block.task)
        protocol = with_changes(task.protocol, block.protocol)
    except (InputError, NotationError, ValueError) as error:
        raise InputError(f"{path}:{_line(text, culprit)}: {error}") from None
    twice = {str(each) for each in strategies if strategies.count(each) > 1}
    if twice:
        culprit = sorted(twice)[0]
        raise InputError(f"{path}:{_line(text, culprit)}: {culprit} stands twice under {block.task}; remove one")
    return Block(task, tuple(strategies), protocol)


def with_changes(protocol: Protocol, changes: dict[str, Any]) -> Protocol:
    """The protocol with some fields changed; `ValueError` names those there are."""
    fields = {each.name: each for each in dataclasses.fields(protocol) if each.name != "version"}
    for key, value in changes.items():
        if key not in fields:
            raise ValueError(f"a protocol has no field {key!r}; {did_you_mean(key, fields)}")
        wanted = type(getattr(protocol, key))
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise ValueError(f"protocol: {key} must be of type {wanted.__name__}; given: {value!r}")
    return dataclasses.replace(protocol, **changes)


def _first_complaint(path: Path, text: str, error: ValidationError) -> str:
    complaint = error.errors()[0]
    *where, key = complaint["loc"]
    if complaint["type"] == "unexpected_keyword_argument":
        known = [each.name for each in dataclasses.fields(_Block if where else _File)]
        return f"{path}:{_line(text, str(key))}: unknown key {key!r}; {did_you_mean(str(key), known)}"
    place = ".".join(map(str, complaint["loc"]))
    return f"{path}:{_line(text, str(key))}: {place}: {complaint['msg']}; given: {complaint['input']!r}"


def _line(text: str, culprit: str) -> int:
    """The first line that holds the culprit; 1 if it stands nowhere (a missing key)."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if culprit in line), 1)
