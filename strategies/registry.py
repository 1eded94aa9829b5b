"""Strategies by name: `@register` in a file of a hook's folder, and the file is found."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import pkgutil
import re
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from strategies.strategy import Strategy

    AnyStrategy = TypeVar("AnyStrategy", bound=type[Strategy])

_REGISTERED: dict[str, type[Strategy]] = {}
_FOLDERS = ("resample", "sample", "loss")
_CALL = re.compile(r"^\s*(?P<name>[\w-]+)\s*(?:\((?P<arguments>[^()]*)\))?\s*$")


class UnknownStrategyError(ValueError):
    """A strategy, or a hyper-parameter of one, that is not known; the message names what is."""


def register(strategy: AnyStrategy) -> AnyStrategy:
    """Class decorator: makes a strategy known under its `name`."""
    known = _REGISTERED.get(strategy.name)
    if known is not None and known.__qualname__ != strategy.__qualname__:
        raise ValueError(
            f"two strategies are named {strategy.name!r}: {known.__module__} and {strategy.__module__}; rename one"
        )
    _REGISTERED[strategy.name] = strategy
    return strategy


def names() -> tuple[str, ...]:
    """Names of all strategies, in the order of the folders and files."""
    _discover()
    return tuple(_REGISTERED)


def find(name: str) -> type[Strategy]:
    """The class of a strategy; `UnknownStrategyError` names the nearest known ones."""
    _discover()
    if name in _REGISTERED:
        return _REGISTERED[name]
    raise UnknownStrategyError(f"unknown strategy {name!r}; {did_you_mean(name, _REGISTERED)}")


def get(name: str, **parameters: Any) -> Strategy:
    """A strategy by name, with hyper-parameters.

    >>> get("loss-weights", power=0.5).power
    0.5
    """
    strategy = find(name)
    fields = {field.name: field for field in dataclasses.fields(strategy)}
    hints = typing.get_type_hints(strategy)
    for parameter, value in parameters.items():
        if parameter not in fields:
            allowed = did_you_mean(parameter, fields) if fields else "it has none"
            raise UnknownStrategyError(f"{name} has no hyper-parameter {parameter!r}; {allowed}")
        parameters[parameter] = _checked(name, parameter, value, hints[parameter])
    return strategy(**parameters)


def parse(text: str) -> Strategy:
    """A strategy as suites, the command line and plots write it.

    >>> parse("loss-weights(power=0.5)"), parse("oversampling(smote)").kind
    (LossWeights(power=0.5, reduction='weighted-mean'), 'smote')
    """
    name, parameters = parse_call(text)
    unnamed = parameters.pop("", [])
    fields = [field.name for field in dataclasses.fields(find(name))]
    if len(unnamed) > len(fields):
        raise UnknownStrategyError(
            f"{text!r} gives {len(unnamed)} unnamed values; {name} has the hyper-parameters {', '.join(fields) or 'none'}"
        )
    return get(name, **dict(zip(fields, unnamed, strict=False)), **parameters)


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """`name(value, key=value)` taken apart; the unnamed values come under the key ""."""
    match = _CALL.match(text)
    if match is None:
        raise UnknownStrategyError(
            f"cannot read {text!r}; write NAME or NAME(parameter=value, ...), for example loss-weights(power=0.5)"
        )
    parameters: dict[str, Any] = {}
    for argument in filter(None, (each.strip() for each in (match["arguments"] or "").split(","))):
        key, equals, value = (each.strip() for each in argument.partition("="))
        if equals:
            parameters[key] = _value(value)
        else:
            parameters.setdefault("", []).append(_value(key))
    return match["name"], parameters


def did_you_mean(given: str, known: typing.Iterable[str]) -> str:
    """The nearest known names, or all of them."""
    known = list(known)
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"


def _value(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "none": None}.get(text.lower(), text.strip("\"'"))


def _checked(name: str, parameter: str, value: Any, hint: Any) -> Any:
    """The value as the field's type wants it: an int where a float is asked for is one."""
    allowed = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    for kind in allowed:
        if typing.get_origin(kind) is Literal and value in typing.get_args(kind):
            return value
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(kind, type) and type(value) is kind:
            return value
    wanted = " or ".join(
        ", ".join(map(repr, typing.get_args(kind)))
        if typing.get_origin(kind) is Literal
        else getattr(kind, "__name__", str(kind))
        for kind in allowed
    )
    raise UnknownStrategyError(f"{name}: {parameter} must be {wanted}; given: {value!r}")


@cache
def _discover() -> None:
    importlib.import_module("strategies.none")
    for folder in _FOLDERS:
        package = importlib.import_module(f"strategies.{folder}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"strategies.{folder}.{module.name}")
