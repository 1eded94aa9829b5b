"""A suite: the TOML file that names tasks, strategies, protocols and seeds; and the suite as the command line changes it."""

from __future__ import annotations

import dataclasses
import difflib
import math
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
from bench.planning.protocol import Protocol, reference_protocol, with_learner
from bench.planning.toml_location import TomlLocation
from bench.records.record import LARGEST_FAMILY
from bench.tasks import TaskSpec, find_task
from bench.tasks.plugin_file import load_plugin
from strategies import NotationError, Strategy, parse
from strategies.combination import split_adjustment
from strategies.none import Plain
from strategies.notation import did_you_mean

_FIXED = ("version", "model_source", "is_estimator")
"""Fields of a protocol that a suite cannot set."""

_MUST = {
    "string_type": "must be a string",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "dict_type": "must be a table of keys",
    "dataclass_type": "must be a table of keys",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be 1 or more",
}
"""What a value must be, by pydantic's type of error."""

_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class _Block:
    task: str
    strategies: list[str] = Field(min_length=1)
    protocol: dict[str, Any] = field(default_factory=dict)
    primary: list[str] | None = None
    post_hoc: list[str] | None = None
    free: list[str] | None = None
    """The old name of `post_hoc`."""
    tuning: dict[str, Any] | None = None
    name: str = ""


@checked(frozen=True, config=_STRICT)
class _File:
    title: str
    seeds: int = Field(ge=1, strict=True)
    block: list[_Block] = Field(min_length=1)
    plugins: list[str] = field(default_factory=list)
    """Python files that register further strategies or tasks, relative to the suite's file."""


@dataclass(frozen=True)
class Block:
    """Strategies on one task under one protocol."""

    task: TaskSpec
    strategies: tuple[Strategy, ...]
    protocol: Protocol
    primary: tuple[Strategy, ...] | None = None
    """The strategies that the question is about, declared before anything is run; None: not declared."""
    post_hoc: tuple[Strategy, ...] = ()
    """Post-hoc adjustments that the runs of every strategy are evaluated under too."""
    tuning: Grid | None = None
    name: str = ""
    """What tells it from another block on the same task, such as "fraud.csv with mlp"; empty: the task's label."""

    @property
    def label(self) -> str:
        """Its key in plan, records and report: its name, or else the task's label."""
        return self.name or self.task.label


@dataclass(frozen=True)
class Suite:
    """Blocks of strategies on tasks, each run with the seeds 0 to `seeds` - 1."""

    name: str
    title: str
    seeds: int
    blocks: tuple[Block, ...]


def suites() -> list[str]:
    """Return the names of the suites that come with the package."""
    return sorted(path.name.removesuffix(".toml") for path in _directory().iterdir() if path.name.endswith(".toml"))


def read_suite(name: str, conll2003: Path | None = None) -> Suite:
    """Read the suite of that name, or in that TOML file; `conll2003` is a directory with that corpus.

    Raises an InputError that names the file and the line of what is wrong.
    """
    path = Path(name) if name.endswith(".toml") else Path(str(_directory() / f"{name}.toml"))
    if not path.is_file():
        files = [str(file) for file in sorted(path.parent.glob("*.toml")) if name.endswith(".toml") and file.is_file()]
        near = difflib.get_close_matches(name, [*suites(), *files])
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise InputError(
            f"no suite {name!r}: {hint}a suite is {', '.join(suites())}, or the path of a file that ends in .toml"
        )
    try:
        text = path.read_bytes().decode()
        file = TypeAdapter(_File).validate_python(tomllib.loads(text))
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        byte = f"0x{error.object[error.start]:02x}"
        raise InputError(f"{path}:{number}: the byte {byte} is not UTF-8; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = int(line[1]) if line else max(len(text.splitlines()), 1)
        raise InputError(f"{path}:{number}: not TOML: {error}") from None
    except ValidationError as error:
        raise InputError(_describe_first_error(path, text, error)) from None
    for plugin in file.plugins:
        try:
            load_plugin(path.parent / plugin)
        except InputError as error:
            raise InputError(f"{TomlLocation(path, text).of(plugin)}: {error}") from None
    blocks = (
        _read_block(TomlLocation(path, text, number), block, conll2003) for number, block in enumerate(file.block)
    )
    return Suite(path.stem, file.title, file.seeds, tuple(blocks))


def _directory() -> Any:
    return resources.files("bench") / "suites"


def _read_block(location: TomlLocation, block: _Block, conll2003: Path | None) -> Block:
    strategies: list[Strategy] = []
    culprit = block.task  # what an error is about, and whose line it names
    try:
        task = find_task(block.task, conll2003)
        for culprit in block.strategies:
            strategy = parse(culprit)
            if strategy in strategies:
                raise NotationError(f"{culprit} is listed twice under {block.task}; remove one")
            strategies.append(strategy)
        protocol = reference_protocol(task)
        # The model first, since an estimator brings a protocol of its own.
        for culprit, value in sorted(block.protocol.items(), key=lambda change: change[0] != "model"):
            protocol = with_change(protocol, culprit, value)
        culprit = ""
        protocol.check()
    except (InputError, NotationError) as error:
        culprits = [culprit] if culprit else [key for key in block.protocol if key in str(error)]
        raise InputError(f"{location.of(*culprits)}: {error}") from None
    return Block(
        task,
        tuple(strategies),
        protocol,
        None if block.primary is None else tuple(_read_primary(location, block.primary, strategies)),
        tuple(_read_post_hoc(location, block)),
        None if block.tuning is None else _read_grid(location, block.tuning, strategies, protocol),
        block.name,
    )


def _read_primary(location: TomlLocation, primary: list[str], strategies: list[Strategy]) -> Iterator[Strategy]:
    location = dataclasses.replace(location, key="primary")
    if len(set(primary)) > LARGEST_FAMILY:
        raise InputError(
            f"{location.of()}: primary may hold {LARGEST_FAMILY} strategies; given: {len(set(primary))}; keep those that the "
            "question is about, the others are exploratory"
        )
    for text in primary:
        if (strategy := _parse_strategy(location, text)) not in strategies:
            raise InputError(f"{location.of(text)}: primary: {text} is not among the block's strategies; add it there")
        yield strategy


def _read_post_hoc(location: TomlLocation, block: _Block) -> Iterator[Strategy]:
    key = "post_hoc" if block.free is None else "free"
    location = dataclasses.replace(location, key=key)
    if block.post_hoc is not None and block.free is not None:
        raise InputError(f"{location.of()}: free is the old name of post_hoc; give one of the two keys")
    for text in (block.post_hoc if block.free is None else block.free) or ():
        trained, adjustment = split_adjustment(_parse_strategy(location, text))
        if adjustment is None or trained != Plain():
            raise InputError(
                f"{location.of(text)}: {key}: {text} needs training runs of its own; give adjustments of finished logits, such "
                "as thresholds"
            )
        yield adjustment


def _read_grid(location: TomlLocation, tuning: dict[str, Any], strategies: list[Strategy], protocol: Protocol) -> Grid:
    """Read the grid of a block; every list in it has `size` configurations."""
    location = dataclasses.replace(location, key="tuning")
    lists = dict(tuning)
    size = lists.pop("size", None)
    if type(size) is not int or size < 2:
        raise InputError(
            f"{location.of('size')}: tuning: size, the number of configurations of every strategy, must be a whole number, 2 or "
            f"more; given: {size!r}"
        )
    if "learning_rate" not in lists:
        raise InputError(
            f"{location.of('size')}: tuning: the key 'learning_rate' is missing; add a list of {size} of them"
        )
    for key, values in lists.items():
        if not (isinstance(values, list) and len(values) == size):
            raise InputError(
                f"{location.of(key)}: tuning: {key} must be a list of {size} configurations, as many as for every other "
                f"strategy; given: {values!r}"
            )
    rates = tuple(_read_learning_rate(location, rate, protocol) for rate in lists.pop("learning_rate"))
    _check_distinct(location, "learning_rate", rates)
    return Grid(rates, dict(_read_own_grid(location, key, values, strategies) for key, values in lists.items()))


def _read_learning_rate(location: TomlLocation, rate: Any, protocol: Protocol) -> float:
    try:
        changed = with_change(protocol, "learning_rate", rate)
        changed.check()
    except InputError as error:
        raise InputError(f"{location.of('learning_rate')}: tuning: {error}") from None
    return changed.learning_rate


def _read_own_grid(
    location: TomlLocation, key: str, values: list[Any], strategies: list[Strategy]
) -> tuple[Strategy, tuple[Strategy, ...]]:
    """Return a strategy of the block, and itself with other hyper-parameters."""
    strategy = _parse_strategy(location, key)
    if strategy not in strategies:
        raise InputError(f"{location.of(key)}: tuning: {key} is not among the block's strategies; add it there")
    configurations = tuple(_parse_strategy(location, value) for value in values)
    for text, configuration in zip(values, configurations, strict=True):
        if [part.name for part in configuration.parts] != [part.name for part in strategy.parts]:
            raise InputError(f"{location.of(text)}: tuning: {configuration} is not {key} with other hyper-parameters")
    _check_distinct(location, key, configurations)
    return strategy, configurations


def _check_distinct(location: TomlLocation, key: str, values: Sequence[Any]) -> None:
    if len(set(values)) < len(values):
        raise InputError(
            f"{location.of(key)}: tuning: {key} holds a configuration twice; give {len(values)} different ones"
        )


def _parse_strategy(location: TomlLocation, text: Any) -> Strategy:
    try:
        if not isinstance(text, str):
            raise NotationError(f"a strategy must be a string; given: {text!r}")
        return parse(text)
    except NotationError as error:
        raise InputError(f"{location.of(str(text))}: {error}") from None


def with_change(protocol: Protocol, key: str, value: Any) -> Protocol:
    """Return the protocol with one field changed.

    Raises an InputError that names the fields, or what the field may hold.
    """
    fields = [field.name for field in dataclasses.fields(protocol) if field.name not in _FIXED]
    if key not in fields:
        raise InputError(f"a protocol has no field {key!r}; {did_you_mean(key, fields)}")
    wanted = type(getattr(protocol, key))
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise InputError(f"protocol: {key} must be of type {wanted.__name__}; given: {value!r}")
    if key == "model":
        return with_learner(protocol, value)
    return dataclasses.replace(protocol, **{key: wanted(value)})


def with_model(suite: Suite, name: str) -> Suite:
    """Return the suite with another model for all its blocks: an estimator by name, or what `FILE.py:NAME` returns."""
    blocks = [dataclasses.replace(block, protocol=with_learner(block.protocol, name)) for block in suite.blocks]
    for block in blocks:
        if block.tuning is not None and block.protocol.is_estimator:
            raise InputError(
                f"suite {suite.name}: {block.label} is tuned over learning rates, which {block.protocol.model_name} does not "
                "have as other models do; give a suite without tuning, such as quick"
            )
        block.protocol.check()
    return dataclasses.replace(suite, blocks=tuple(blocks))


def with_steps(suite: Suite, steps: int) -> Suite:
    """Return the suite with so many training steps in all its blocks, validated about as often during a run as before."""
    if all(block.protocol.is_estimator for block in suite.blocks):
        raise InputError("--steps: estimators are fitted at once and have no training steps; leave --steps out")
    return dataclasses.replace(suite, blocks=tuple(_with_steps(block, steps) for block in suite.blocks))


def _with_steps(block: Block, steps: int) -> Block:
    if block.protocol.is_estimator:
        return block
    validations = block.protocol.steps / block.protocol.validate_every
    divisors = [every for every in range(1, steps + 1) if steps % every == 0]
    # The last step is validated too, so the interval divides the steps.
    nearest = min(divisors, key=lambda every: abs(math.log(steps / every / validations)))
    return dataclasses.replace(block, protocol=dataclasses.replace(block.protocol, steps=steps, validate_every=nearest))


def filter_suite(suite: Suite, tasks: Sequence[TaskSpec], strategies: Sequence[Strategy], seeds: int | None) -> Suite:
    """Return the suite with only these tasks, strategies and number of seeds; an empty list or None keeps the suite's own.

    A task that the suite does not hold is run like the first of its blocks with the same kind of item, or else with the same
    model. A block declares no primary family for a task or for strategies other than its own: what was asked for is primary.
    """
    blocks = list(suite.blocks) if not tasks else [_block_for(suite, task) for task in dict.fromkeys(tasks)]
    if strategies:
        asked = tuple(dict.fromkeys(strategies))
        blocks = [dataclasses.replace(block, strategies=asked, primary=None) for block in blocks]
    return dataclasses.replace(suite, blocks=tuple(blocks), seeds=suite.seeds if seeds is None else seeds)


def _block_for(suite: Suite, task: TaskSpec) -> Block:
    for block in suite.blocks:
        if block.task.label == task.label:
            return dataclasses.replace(block, task=task)  # a corpus of the same name may be in another directory
    model = reference_protocol(task).model
    same_model = [block for block in suite.blocks if reference_protocol(block.task).model == model]
    for block in sorted(same_model, key=lambda block: block.task.kind != task.kind):
        return dataclasses.replace(block, task=task, primary=None)
    raise InputError(f"suite {suite.name} has no task trained with {model}, as {task.label} is")


def _describe_first_error(path: Path, text: str, error: ValidationError) -> str:
    """Return one line on the first error; an unknown key comes first, since it explains a missing one."""
    errors = sorted(error.errors(), key=lambda details: details["type"] != "unexpected_keyword_argument")
    keys_and_indices, kind = errors[0]["loc"], errors[0]["type"]
    in_block = keys_and_indices[0] == "block" and len(keys_and_indices) > 1
    location = TomlLocation(path, text, int(keys_and_indices[1]) if in_block else None)
    keys = [key for key in keys_and_indices if isinstance(key, str)]
    if kind == "unexpected_keyword_argument":
        known = [field.name for field in dataclasses.fields(_Block if in_block else _File) if field.name != "free"]
        return f"{location.of(keys[-1])}: unknown key {keys[-1]!r}; {did_you_mean(keys[-1], known)}"
    if kind in ("missing", "missing_argument"):
        return f"{location.of()}: the key {keys[-1]!r} is missing; add it"
    must = _MUST.get(kind, errors[0]["msg"])
    fix = "; write [[block]]" if keys[-1] == "block" else ""
    return f"{location.of(*reversed(keys))}: {keys[-1]} {must}; given: {errors[0]['input']!r}{fix}"
