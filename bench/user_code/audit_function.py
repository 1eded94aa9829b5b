"""Audit what a user's function returns: the body of `imbench audit MODULE:FUNCTION`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from bench.errors import InputError
from bench.user_code.module_loader import describe_error, last_line, load_module, source_location
from strategies.loader_audit.audit import Audit, audit

EXPECTED = "(loader_or_sampler, labels), a dictionary of audit()'s arguments, or a list of these"
"""What a function to be audited must return."""


def audit_function(spec: str) -> Audit | list[Audit]:
    """Call a user's function and audit what it returns.

    Parameters
    ----------
    spec
        "MODULE:FUNCTION" or "path/to/file.py:FUNCTION". The function is called without arguments and returns
        (loader_or_sampler, labels), a dictionary of the arguments of `strategies.audit`, or a list of these.

    Returns
    -------
    Audit or list of Audit
        A list if the function returns a list.

    Raises
    ------
    InputError
        If the function cannot be loaded, called or audited: one line that begins with the file and line of the user's code.
    """
    module_name, _, function_name = spec.rpartition(":")
    if not module_name or not function_name.isidentifier():
        raise InputError(f"audit {spec!r}: give MODULE:FUNCTION, such as train:loader or path/to/train.py:loader")
    module = load_module(module_name)
    function = _find_function(module, function_name)
    location = source_location(function)
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise InputError(f"{last_line(error, location)}: {function_name}() failed: {describe_error(error)}") from None
    if isinstance(returned, list) and not returned:
        raise InputError(f"{location}: {function_name}() returns an empty list; return {EXPECTED}")
    if isinstance(returned, list):
        return [_audit(value, f"{location}: {function_name}()[{i}]") for i, value in enumerate(returned)]
    return _audit(returned, f"{location}: {function_name}()")


def _find_function(module: ModuleType, name: str) -> Callable[..., Any]:
    """Return a function of a module that can be called without arguments."""
    file = getattr(module, "__file__", None) or module.__name__
    function = getattr(module, name, None)
    if function is None:
        public = sorted(
            other for other, value in vars(module).items() if inspect.isfunction(value) and not other.startswith("_")
        )
        existing = f"it has {', '.join(public[:12])}" if public else "it has no functions"
        raise InputError(f"{file}:1: no function {name!r}; {existing}")
    if not callable(function):
        raise InputError(
            f"{file}:1: {name} is not a function but of type {type(function).__name__}; write one that returns it"
        )
    try:
        required = [
            parameter.name
            for parameter in inspect.signature(function).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        required = []
    if required:
        raise InputError(
            f"{source_location(function)}: {name} is called without arguments, but needs {', '.join(required)}; "
            f"write a function that calls it and returns {EXPECTED}"
        )
    return function  # type: ignore[no-any-return]


def _audit(returned: Any, location: str) -> Audit:
    if isinstance(returned, Mapping):
        arguments: dict[Any, Any] = dict(returned)
        parameters = list(inspect.signature(audit).parameters)
        missing = [name for name in parameters[:2] if name not in arguments]
        unknown = [str(name) for name in arguments if name not in parameters]
        if missing or unknown:
            mistake = f"lacks {', '.join(missing)}" if missing else f"has unknown keys {', '.join(unknown)}"
            raise InputError(f"{location} returns a dictionary that {mistake}; audit takes {', '.join(parameters)}")
    elif isinstance(returned, tuple) and len(returned) == 2:
        arguments = {"loader_or_sampler": returned[0], "labels": returned[1]}
    else:
        raise InputError(f"{location} returns {_describe_type(returned)}; return {EXPECTED}")
    try:
        return audit(**arguments)
    except Exception as error:  # it runs the user's data set, sampler and loader
        raise InputError(f"{last_line(error, None) or location}: {describe_error(error)}") from None


def _describe_type(returned: Any) -> str:
    name = type(returned).__name__
    return f"a {name} of {len(returned)}" if isinstance(returned, tuple) else name
