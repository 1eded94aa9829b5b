"""A user's Python file that registers strategies, tasks or both: `--plugin FILE`, or `plugins` in a suite."""

from __future__ import annotations

from pathlib import Path

from bench.errors import InputError
from bench.tasks.task_registry import known_tasks
from strategies import NotationError, names
from strategies.registry import import_file


def load_plugin(path: Path) -> None:
    """Register the strategies and tasks of a Python file; an `InputError` says why it cannot be loaded.

    The file's directory joins `sys.path`, so that worker processes, which are started later, find the module too.
    """
    before = names(), known_tasks()
    try:
        is_new = import_file(path)
    except NotationError as error:
        raise InputError(str(error)) from None
    if is_new and (names(), known_tasks()) == before:
        raise InputError(f"{path}: registers nothing; put @register before a strategy, or @register_task before a task")
