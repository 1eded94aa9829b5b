"""How suites, the command line and plots write a thing with parameters: `name(value, key=value)`."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import types
import typing
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Literal, TypeVar

Dataclass = TypeVar("Dataclass")

_CALL = re.compile(r"^\s*(?P<name>[^()]+?)\s*(?:\((?P<arguments>[^()]*)\))?\s*$")


class NotationError(ValueError):
    """An unknown name or parameter, or a value that is not allowed; the message names what is."""


def parse_call(text: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return the name, the values without a parameter's name, and those with one.

    >>> parse_call("sentence-duplication(sc)"), parse_call("loss-weights(power=0.5)")
    (('sentence-duplication', ('sc',), {}), ('loss-weights', (), {'power': 0.5}))
    """
    match = _CALL.match(text)
    if match is None:
        raise NotationError(
            f"cannot read {text!r}; write NAME or NAME(parameter=value, ...), for example loss-weights(power=0.5)"
        )
    unnamed: list[Any] = []
    named: dict[str, Any] = {}
    for argument in filter(None, (part.strip() for part in (match["arguments"] or "").split(","))):
        key, equals, value = (part.strip() for part in argument.partition("="))
        if equals:
            named[key] = _value(value)
        else:
            unnamed.append(_value(key))
    return match["name"], tuple(unnamed), named


def build(
    kind: type[Dataclass], name: str, unnamed: Iterable[Any] = (), named: dict[str, Any] | None = None
) -> Dataclass:
    """Return an instance of the dataclass `kind`, with its fields checked against their types.

    Parameters
    ----------
    kind : type
        A dataclass.
    name : str
        What error messages call it.
    unnamed : iterable, optional
        Values of the first fields.
    named : dict, optional
        Values by field.

    Raises
    ------
    NotationError
        If there are too many values, a field is given twice or unknown, or a value does not fit its field's type.
    """
    fields = [field.name for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    unnamed, given = tuple(unnamed), dict(named or {})
    has = f"{name} has {', '.join(fields) or 'no parameters'}"
    if len(unnamed) > len(fields):
        raise NotationError(f"{name}: {len(unnamed)} unnamed values given; {has}")
    for parameter, value in zip(fields, unnamed, strict=False):
        if parameter in given:
            raise NotationError(f"{name}: {parameter} is given twice, as {value!r} and as {given[parameter]!r}")
        given[parameter] = value
    hints = typing.get_type_hints(kind)
    for parameter, value in given.items():
        if parameter not in fields:
            raise NotationError(
                f"{name} has no parameter {parameter!r}; {did_you_mean(parameter, fields) if fields else has}"
            )
        given[parameter] = _check_type(f"{name}: {parameter}", value, hints[parameter])
    return kind(**given)


def write(name: str, instance: Any) -> str:
    """Return the text that `parse_call` reads: the name, and every field that differs from its default.

    A string in first place is written without its field's name.
    """
    shown = [field for field in dataclasses.fields(instance) if field.init and field.repr]
    changed = []
    for place, field in enumerate(shown):
        value = getattr(instance, field.name)
        if value != field.default:
            changed.append(value if place == 0 and isinstance(value, str) else f"{field.name}={value}")
    return f"{name}({', '.join(changed)})" if changed else name


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known names, or with all of them.

    >>> did_you_mean("focl", ["focal", "none"])
    'did you mean focal?'
    """
    known = list(known)
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"


def _value(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "none": None}.get(text.lower(), text.strip("\"'"))


def _check_type(what: str, value: Any, hint: Any) -> Any:
    """Return the value in the field's type, in which a whole number is a float too; a NotationError names the types allowed."""
    allowed = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    for kind in allowed:
        if typing.get_origin(kind) is Literal and value in typing.get_args(kind):
            return value
        if kind is float and isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        if kind is int and isinstance(value, Integral) and not isinstance(value, bool):
            return int(value)
        if isinstance(kind, type) and kind is not float and type(value) is kind:
            return value
    raise NotationError(f"{what} must be {' or '.join(map(_type_in_words, allowed))}; given: {value!r}")


def _type_in_words(kind: Any) -> str:
    if typing.get_origin(kind) is Literal:
        return " or ".join(map(repr, typing.get_args(kind)))
    return {
        int: "a whole number",
        float: "a finite number",
        str: "text",
        bool: "true or false",
        type(None): "none",
    }.get(kind, getattr(kind, "__name__", str(kind)))
