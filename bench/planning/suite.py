"""A suite: the file that names what to run."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from bench.errors import InputError
from bench.planning.grid import Grid
from bench.planning.protocol import Protocol, reference_protocol, with_user_module
from bench.planning.toml_location import TomlLocation
from bench.records.record import LARGEST_FAMILY
from bench.tasks import TaskSpec, find_task
from strategies import NotationError, Strategy, parse
from strategies.combination import split_adjustment
from strategies.none import Plain
from strategies.notation import did_you_mean

_FIXED = ("version", "model_source")
"""Fields of a protocol that a suite cannot set."""

_MUST = {
    "string_type": "must be a text",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "dict_type": "must be a table of keys",
    "dataclass_type": "must be a table of keys",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be 1 or more",
}
"""What a value must be, by the kind of complaint."""

_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class _Block:
    task: str
    strategies: list[str] = Field(min_length=1)
    protocol: dict[str, Any] = field(default_factory=dict)
    primary: list[str] | None = None
    free: list[str] = field(default_factory=list)
    tuning: dict[str, Any] | None = None


@checked(frozen=True, config=_STRICT)
class _File:
    title: str
    seeds: int = Field(ge=1, strict=True)
    block: list[_Block] = Field(min_length=1)


@dataclass(frozen=True)
class Block:
    """Strategies on one task under one protocol."""

    task: TaskSpec
    strategies: tuple[Strategy, ...]
    protocol: Protocol
    primary: tuple[Strategy, ...] | None = None
    """The family that the question is about, declared before anything is run; None: not declared."""
    free: tuple[Strategy, ...] = ()
    """Adjustments that every strategy is evaluated under beside."""
    tuning: Grid | None = None


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
        text = path.read_bytes().decode()
        file = TypeAdapter(_File).validate_python(tomllib.loads(text))
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise InputError(f"{path}:{number}: {found}; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        number = int(at[1]) if at else max(len(text.splitlines()), 1)
        raise InputError(f"{path}:{number}: not TOML: {error}") from None
    except ValidationError as error:
        raise InputError(_first_complaint(path, text, error)) from None
    blocks = (_block(TomlLocation(path, text, number), each, conll2003) for number, each in enumerate(file.block))
    return Suite(path.stem, file.title, file.seeds, tuple(blocks))


def _shipped() -> Any:
    return resources.files("bench") / "suites"


def _block(place: TomlLocation, block: _Block, conll2003: Path | None) -> Block:
    strategies: list[Strategy] = []
    culprit = block.task
    try:
        task = find_task(block.task, conll2003)
        for culprit in block.strategies:
            strategy = parse(culprit)
            if strategy in strategies:
                raise NotationError(f"{culprit} stands twice under {block.task}; remove one")
            strategies.append(strategy)
        protocol = reference_protocol(task)
        for culprit, value in block.protocol.items():
            protocol = with_change(protocol, culprit, value)
        culprit = ""
        protocol.check()
    except (InputError, NotationError) as error:
        culprits = [culprit] if culprit else [key for key in block.protocol if key in str(error)]
        raise InputError(f"{place.of(*culprits)}: {error}") from None
    return Block(
        task,
        tuple(strategies),
        protocol,
        None if block.primary is None else tuple(_primary(place, block.primary, strategies)),
        tuple(_free(place, block.free)),
        None if block.tuning is None else _grid(place, block.tuning, strategies, protocol),
    )


def _primary(place: TomlLocation, primary: list[str], strategies: list[Strategy]) -> Iterator[Strategy]:
    place = dataclasses.replace(place, key="primary")
    if len(set(primary)) > LARGEST_FAMILY:
        raise InputError(
            f"{place.of()}: primary may hold {LARGEST_FAMILY} strategies; given: {len(set(primary))}; keep those that the "
            "question is about, the others are explored"
        )
    for culprit in primary:
        if (strategy := _parsed(place, culprit)) not in strategies:
            raise InputError(
                f"{place.of(culprit)}: primary: {culprit} is not among the block's strategies; add it there"
            )
        yield strategy


def _free(place: TomlLocation, free: list[str]) -> Iterator[Strategy]:
    place = dataclasses.replace(place, key="free")
    for culprit in free:
        trained, adjustment = split_adjustment(_parsed(place, culprit))
        if adjustment is None or trained != Plain():
            raise InputError(
                f"{place.of(culprit)}: free: {culprit} needs a training of its own; give adjustments of finished logits, such "
                "as thresholds"
            )
        yield adjustment


def _grid(place: TomlLocation, tuning: dict[str, Any], strategies: list[Strategy], protocol: Protocol) -> Grid:
    """The grid of a block; every list in it is as long as `size` says."""
    place = dataclasses.replace(place, key="tuning")
    lists = dict(tuning)
    size = lists.pop("size", None)
    if type(size) is not int or size < 2:
        raise InputError(
            f"{place.of('size')}: tuning: size must be a whole number from 2 on, the settings of every strategy; given: {size!r}"
        )
    if "learning_rate" not in lists:
        raise InputError(
            f"{place.of('size')}: tuning: the key 'learning_rate' is missing; add a list of {size} of them"
        )
    for key, values in lists.items():
        if not (isinstance(values, list) and len(values) == size):
            raise InputError(
                f"{place.of(key)}: tuning: {key} must be a list of {size} settings, so that all strategies have as many; "
                f"given: {values!r}"
            )
    rates = tuple(_rate(place, rate, protocol) for rate in lists.pop("learning_rate"))
    _distinct(place, "learning_rate", rates)
    return Grid(rates, dict(_own(place, key, values, strategies) for key, values in lists.items()))


def _rate(place: TomlLocation, rate: Any, protocol: Protocol) -> float:
    try:
        changed = with_change(protocol, "learning_rate", rate)
        changed.check()
    except InputError as error:
        raise InputError(f"{place.of('learning_rate')}: tuning: {error}") from None
    return changed.learning_rate


def _own(
    place: TomlLocation, key: str, values: list[Any], strategies: list[Strategy]
) -> tuple[Strategy, tuple[Strategy, ...]]:
    """A strategy of the block, and itself with other hyper-parameters."""
    strategy = _parsed(place, key)
    if strategy not in strategies:
        raise InputError(f"{place.of(key)}: tuning: {key} is not among the block's strategies; add it there")
    settings = tuple(_parsed(place, value) for value in values)
    for text, setting in zip(values, settings, strict=True):
        if [part.name for part in setting.parts] != [part.name for part in strategy.parts]:
            raise InputError(f"{place.of(text)}: tuning: {setting} is not {key} with other hyper-parameters")
    _distinct(place, key, settings)
    return strategy, settings


def _distinct(place: TomlLocation, key: str, values: Sequence[Any]) -> None:
    if len(set(values)) < len(values):
        raise InputError(f"{place.of(key)}: tuning: {key} holds a setting twice; give {len(values)} different ones")


def _parsed(place: TomlLocation, text: Any) -> Strategy:
    try:
        if not isinstance(text, str):
            raise NotationError(f"a strategy must be a text; given: {text!r}")
        return parse(text)
    except NotationError as error:
        raise InputError(f"{place.of(str(text))}: {error}") from None


def with_change(protocol: Protocol, key: str, value: Any) -> Protocol:
    """The protocol with one field changed; `InputError` says which fields there are, and what they may hold."""
    fields = [each.name for each in dataclasses.fields(protocol) if each.name not in _FIXED]
    if key not in fields:
        raise InputError(f"a protocol has no field {key!r}; {did_you_mean(key, fields)}")
    wanted = type(getattr(protocol, key))
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise InputError(f"protocol: {key} must be of type {wanted.__name__}; given: {value!r}")
    if key == "model":
        return with_user_module(protocol, value)
    return dataclasses.replace(protocol, **{key: wanted(value)})


def with_model(suite: Suite, name: str) -> Suite:
    """The suite with the module of `FILE.py:NAME` as the model of all its blocks."""
    blocks = [dataclasses.replace(block, protocol=with_user_module(block.protocol, name)) for block in suite.blocks]
    for block in blocks:
        block.protocol.check()
    return dataclasses.replace(suite, blocks=tuple(blocks))


def _first_complaint(path: Path, text: str, error: ValidationError) -> str:
    """An unknown key explains a missing one, so it is told first."""
    complaints = sorted(error.errors(), key=lambda each: each["type"] != "unexpected_keyword_argument")
    loc, kind = complaints[0]["loc"], complaints[0]["type"]
    inside = loc[0] == "block" and len(loc) > 1
    place = TomlLocation(path, text, int(loc[1]) if inside else None)
    keys = [str(each) for each in loc if isinstance(each, str)]
    if kind == "unexpected_keyword_argument":
        known = [each.name for each in dataclasses.fields(_Block if inside else _File)]
        return f"{place.of(keys[-1])}: unknown key {keys[-1]!r}; {did_you_mean(keys[-1], known)}"
    if kind in ("missing", "missing_argument"):
        return f"{place.of()}: the key {keys[-1]!r} is missing; add it"
    must = _MUST.get(kind, complaints[0]["msg"])
    mend = "; write [[block]]" if keys[-1] == "block" else ""
    return f"{place.of(*reversed(keys))}: {keys[-1]} {must}; given: {complaints[0]['input']!r}{mend}"
