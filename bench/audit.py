"""Audits what a user's function returns: the body of `imbench audit MODULE:FUNCTION`."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bench
import strategies
from bench.errors import InputError
from strategies.wiring.audit import Audit, audit

SHAPE = "(loader_or_sampler, labels), a dictionary of audit()'s arguments, or a list of these"


def audit_function(spec: str) -> Audit | list[Audit]:
    """The audit of what FUNCTION of MODULE (or of a .py file) returns, called without arguments; a list where it is a list.

    It returns (loader_or_sampler, labels), or a dictionary of `audit`'s arguments. What is wrong with the user's code is an
    `InputError` of one line that names the file and line.
    """
    module_name, _, function_name = spec.rpartition(":")
    if not module_name or not function_name.isidentifier():
        raise InputError(f"audit {spec!r}: give MODULE:FUNCTION, such as train:loader or path/to/train.py:loader")
    module = _module(module_name)
    function = _function(module, function_name)
    place = _place(function)
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise InputError(f"{_last_line(error, place)}: {function_name}() failed: {_told(error)}") from None
    if isinstance(returned, list) and not returned:
        raise InputError(f"{place}: {function_name}() returns an empty list; return {SHAPE}")
    if isinstance(returned, list):
        return [_audit(each, f"{place}: {function_name}()[{i}]") for i, each in enumerate(returned)]
    return _audit(returned, f"{place}: {function_name}()")


def _module(name: str) -> ModuleType:
    path = Path(name)
    try:
        if name.endswith(".py"):
            if not path.is_file():
                raise InputError(f"{name}: no such file; give MODULE:FUNCTION or path/to/file.py:FUNCTION")
            _first_on_path(path.resolve().parent)
            free = path.stem if path.stem not in sys.modules else f"{path.stem} of {path.resolve().parent}"
            spec = importlib.util.spec_from_file_location(free, path.resolve())
            if spec is None or spec.loader is None:
                raise InputError(f"{name}: cannot be imported as Python")
            module = importlib.util.module_from_spec(spec)
            sys.modules[free] = module  # before it runs: dataclasses and pickles look themselves up there
            spec.loader.exec_module(module)
            return module
        _first_on_path(Path.cwd())
        return import_module(name)
    except InputError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise InputError(
                f"no module {error.name!r} here ({Path.cwd()}) or among the installed packages; "
                "give MODULE:FUNCTION, or the path of a .py file"
            ) from None
        raise InputError(f"{_last_line(error, name)}: {name} cannot be imported: {_told(error)}") from None
    except SyntaxError as error:
        raise InputError(f"{error.filename}:{error.lineno}: {name} cannot be imported: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{_last_line(error, name)}: {name} cannot be imported: {_told(error)}") from None


def _first_on_path(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


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
            f"{_place(found)}: {name} is called without arguments, but needs {', '.join(needed)}; "
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
        raise InputError(f"{_last_line(error, None) or place}: {_told(error)}") from None


def _kind(returned: Any) -> str:
    name = type(returned).__name__
    return f"a {name} of {len(returned)}" if isinstance(returned, tuple) else name


def _told(error: BaseException) -> str:
    """The error in one line; the name of its type where it is none of ours."""
    text = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"it ends the program with exit code {text or 0}"
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}{f': {text}' if text else ''}"


def _place(function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else str(function)


def _last_line(error: BaseException, otherwise: str | None) -> str:
    """FILE:LINE of the innermost frame in the user's own code: neither an installed package's, nor ours."""
    own = [str(Path(package.__file__ or "").parent) for package in (bench, strategies)]
    others = tuple(f"{each}{os.sep}" for each in [*own, *map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))])
    frames = [
        each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith((*others, "<"))
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else otherwise or ""
