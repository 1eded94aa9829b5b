"""Audits what a user's function returns: the body of `imbench audit MODULE:FUNCTION`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from bench.errors import InputError
from bench.user_code.load import describe_error, last_line, load_module, source_location
from strategies.loader_audit.audit import Audit, audit

SHAPE = "(loader_or_sampler, labels), a dictionary of audit()'s arguments, or a list of these"


def audit_function(spec: str) -> Audit | list[Audit]:
    """The audit of what FUNCTION of MODULE (or of a .py file) returns, called without arguments; a list where it is a list.

    It returns (loader_or_sampler, labels), or a dictionary of `audit`'s arguments. What is wrong with the user's code is an
    `InputError` of one line that names the file and line.
    """
    module_name, _, function_name = spec.rpartition(":")
    if not module_name or not function_name.isidentifier():
        raise InputError(f"audit {spec!r}: give MODULE:FUNCTION, such as train:loader or path/to/train.py:loader")
    module = load_module(module_name)
    function = _function(module, function_name)
    place = source_location(function)
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise InputError(f"{last_line(error, place)}: {function_name}() failed: {describe_error(error)}") from None
    if isinstance(returned, list) and not returned:
        raise InputError(f"{place}: {function_name}() returns an empty list; return {SHAPE}")
    if isinstance(returned, list):
        return [_audit(each, f"{place}: {function_name}()[{i}]") for i, each in enumerate(returned)]
    return _audit(returned, f"{place}: {function_name}()")


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    file = getattr(module, "__file__", None) or module.__name__
    found = getattr(module, name, None)
    own = [each for each, value in vars(module).items() if inspect.isfunction(value) and not each.startswith("_")]
    if found is None:
        raise InputError(f"{file}:1: no function {name!r}; it has {', '.join(sorted(own)[:12]) or 'none'}")
    if not callable(found):
        raise InputError(
            f"{file}:1: {name} is not a function but of type {type(found).__name__}; write one that returns it"
        )
    try:
        needed = [
            each.name
            for each in inspect.signature(found).parameters.values()
            if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        needed = []
    if needed:
        raise InputError(
            f"{source_location(found)}: {name} is called without arguments, but needs {', '.join(needed)}; "
            f"write a function that calls it and returns {SHAPE}"
        )
    return found  # type: ignore[no-any-return]


def _audit(returned: Any, place: str) -> Audit:
    if isinstance(returned, Mapping):
        arguments: dict[Any, Any] = dict(returned)
        known = list(inspect.signature(audit).parameters)
        missing = [name for name in known[:2] if name not in arguments]
        unknown = [str(name) for name in arguments if name not in known]
        if missing or unknown:
            wrong = f"lacks {', '.join(missing)}" if missing else f"has unknown keys {', '.join(unknown)}"
            raise InputError(f"{place} returns a dictionary that {wrong}; audit takes {', '.join(known)}")
    elif isinstance(returned, tuple) and len(returned) == 2:
        arguments = {"loader_or_sampler": returned[0], "labels": returned[1]}
    else:
        raise InputError(f"{place} returns {_kind(returned)}; return {SHAPE}")
    try:
        return audit(**arguments)
    except Exception as error:  # the user's data set, sampler and loader run in here
        raise InputError(f"{last_line(error, None) or place}: {describe_error(error)}") from None


def _kind(returned: Any) -> str:
    name = type(returned).__name__
    return f"a {name} of {len(returned)}" if isinstance(returned, tuple) else name
