"""Load a user's own Python by name; an error in it becomes one line with the place in the user's file."""

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

import strategies
from bench import errors
from bench.errors import InputError


def load_module(name: str) -> ModuleType:
    """Import a module by its name, or run the .py file of that path; raise an `InputError` that says why it fails."""
    path = Path(name)
    try:
        if name.endswith(".py"):
            if not path.is_file():
                raise InputError(f"{name}: no such file; give MODULE:FUNCTION or path/to/file.py:FUNCTION")
            return _run_file(path.resolve())
        _put_first_on_path(Path.cwd())
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


def _run_file(file: Path) -> ModuleType:
    _put_first_on_path(file.parent)
    # A file may have the name of a module that is imported already, such as bench.py.
    module_name = file.stem if file.stem not in sys.modules else f"{file.stem} of {file.parent}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file}: cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # before it runs: dataclasses and pickle look themselves up there
    spec.loader.exec_module(module)
    return module


def _put_first_on_path(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


def describe_error(error: BaseException) -> str:
    """Return an error as one line: its message, with the name of its type unless it is a ValueError."""
    text = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"it ends the program with exit code {text or 0}"
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}{f': {text}' if text else ''}"


def source_location(function: Callable[..., Any]) -> str:
    """Return FILE:LINE where a function begins."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else str(function)


def last_line(error: BaseException, default: str | None) -> str:
    """Return FILE:LINE of the innermost frame in the user's own code, neither an installed package's nor ours.

    `default` is returned if the error has no such frame.
    """
    own_folders = [str(Path(module.__file__ or "").parent) for module in (errors, strategies)]
    library_folders = map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))
    not_users = tuple(f"{folder}{os.sep}" for folder in [*own_folders, *library_folders])
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith((*not_users, "<"))
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else default or ""
