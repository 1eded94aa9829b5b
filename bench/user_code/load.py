"""A reader's own Python, loaded by name; what fails in it is told in one line with the place in the reader's file."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bench
import strategies
from bench.errors import InputError


def load_module(name: str) -> ModuleType:
    """The module of that name, or of that .py file, which is run anew; an `InputError` says where it cannot be imported."""
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
        raise InputError(f"{last_line(error, name)}: {name} cannot be imported: {describe_error(error)}") from None
    except SyntaxError as error:
        raise InputError(f"{error.filename}:{error.lineno}: {name} cannot be imported: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{last_line(error, name)}: {name} cannot be imported: {describe_error(error)}") from None


def _first_on_path(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


def describe_error(error: BaseException) -> str:
    """The error in one line; the name of its type where it is none of ours."""
    text = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"it ends the program with exit code {text or 0}"
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}{f': {text}' if text else ''}"


def source_location(function: Callable[..., Any]) -> str:
    """FILE:LINE where a function begins."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else str(function)


def last_line(error: BaseException, otherwise: str | None) -> str:
    """FILE:LINE of the innermost frame in the user's own code: neither an installed package's, nor ours."""
    own = [str(Path(package.__file__ or "").parent) for package in (bench, strategies)]
    others = tuple(f"{each}{os.sep}" for each in [*own, *map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))])
    frames = [
        each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith((*others, "<"))
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else otherwise or ""
