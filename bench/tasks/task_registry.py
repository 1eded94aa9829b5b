"""Tasks by name: `@register_task` in this package, in an installed package, or in a plug-in file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from bench.errors import InputError
from bench.tasks.task import TaskSpec
from strategies.notation import NotationError, build, did_you_mean, parse_call

AnyTask = TypeVar("AnyTask", bound=type[TaskSpec])

BuildTask = Callable[[str, Path | None], TaskSpec]
"""Makes a specification from a task's text, such as "digits-lt(factor=100)", and a directory with CoNLL-2003 or None."""

ENTRY_POINTS = "imbalance_bench.tasks"
"""The group of entry points by which installed packages name modules, or classes in them, that register tasks."""


@dataclass(frozen=True)
class KnownTask:
    """A task that suites and the command line can name, or a family of tasks with parameters."""

    description: str
    build: BuildTask
    licence: str = ""
    """The licence of the data; empty where it is not known, or the user's own."""
    origin: str = ""
    """The class that was registered."""
    how_to_get: Callable[[], str] | None = None
    """Of a family of tasks, NAME:WHICH: how to get its data, empty where they are here; None where they are the user's."""


_OWN_MODULES = (
    *("bench.tasks.digits_lt", "bench.tasks.keel_lt", "bench.tasks.tagged_corpora"),
    *("bench.user_data.public_table", "bench.user_data.public_corpus"),
)
"""The modules of this package that register tasks. They are imported by name, as those of plug-ins are: this module does not
depend on any of them."""
_REGISTERED: dict[str, KnownTask] = {}


def register_task(spec: AnyTask) -> AnyTask:
    """Make a task known under its `name`, so that suites and the command line can use it; a class decorator.

    Parameters
    ----------
    spec : type
        A frozen dataclass derived from `TaskSpec`, with the class variables `name` and `description`, and `licence` where the
        data have one. Its fields are the task's parameters, each with a default.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    ValueError
        If the name is taken or not made of lower-case words with hyphens, or if something else of this is missing.

    Examples
    --------
    ::

        @register_task
        @dataclass(frozen=True)
        class Wine(TaskSpec):
            name: ClassVar[str] = "wine"
            description: ClassVar[str] = "13 measurements of wines, label: the cultivar"

            def load(self, rng: numpy.random.Generator) -> Task:
                x, y = load_wine(return_X_y=True)
                return Task.from_arrays(x, y, rng=rng, preprocessing=StandardScaler())
    """
    if TaskSpec not in getattr(spec, "__mro__", ()):
        raise ValueError(
            f"{spec!r} is no task; put @register_task before a class that is derived from bench.tasks.TaskSpec"
        )
    origin = f"{spec.__module__}.{spec.__qualname__}"
    if not (dataclasses.is_dataclass(spec) and spec.__dataclass_params__.frozen):
        raise ValueError(f"task {origin} is no frozen dataclass; put @dataclass(frozen=True) under @register_task")
    name, description, licence = (_class_variable(spec, variable) for variable in ("name", "description", "licence"))
    if missing := [variable for variable, value in (("name", name), ("description", description)) if not value]:
        raise ValueError(f"task {origin} is registered without {' and '.join(missing)}; add class variables")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"task {name!r}: a name is lower-case words with hyphens, such as fraud-2024")
    fields = [field for field in dataclasses.fields(spec) if field.init]
    without = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if without:
        raise ValueError(f"task {name}: {', '.join(without)} has no default; give each parameter one")
    if spec.load is TaskSpec.load:
        raise ValueError(f"task {name} has no load; define load(self, rng) -> Task")

    def build_task(text: str, conll2003: Path | None) -> TaskSpec:
        return build(spec, *parse_call(text))

    add_task(name, KnownTask(description, build_task, licence, origin))
    return spec


def _class_variable(spec: type[TaskSpec], variable: str) -> str:
    value = getattr(spec, variable)
    return value if isinstance(value, str) else ""


def add_task(name: str, task: KnownTask) -> None:
    """Make a task known; a ValueError where another one has that name."""
    if (known := _REGISTERED.get(name)) is not None and known.origin != task.origin:
        raise ValueError(f"two tasks are named {name!r}, {known.origin} and {task.origin}; rename one")
    _REGISTERED[name] = task


def known_tasks() -> dict[str, KnownTask]:
    """Return all tasks by name: those of this package first, then those of installed packages and of plug-in files.

    >>> "digits-lt" in known_tasks()
    True
    """
    _discover()
    return dict(_REGISTERED)


def find_task(text: str, conll2003: Path | None = None) -> TaskSpec:
    """Return the task that a suite or the command line names; `conll2003` is a directory with that corpus.

    >>> find_task("digits-lt(factor=100)").label
    'digits-lt(factor=100.0)'
    """
    try:
        # The name of a directory may hold brackets, so the text of a family is not read as a name with parameters.
        name = find_family(text) or parse_call(text)[0]
        if name in known_tasks():
            return known_tasks()[name].build(text.strip(), conll2003)
    except NotationError as error:
        raise InputError(f"task {text!r}: {error}") from None
    raise InputError(f"unknown task {name!r}; {did_you_mean(name, known_tasks())}")


def find_family(text: str) -> str:
    """Return the known family of tasks that a text is of, such as conll:DIR; else an empty string.

    >>> find_family("conll:path/to/corpus"), find_family("digits-lt")
    ('conll:DIR', '')
    """
    prefix, colon, _ = text.strip().partition(":")
    return next((name for name in known_tasks() if colon and name.startswith(f"{prefix}:")), "")


@cache
def _discover() -> None:
    """Import every module that registers tasks: of this package, then of installed ones."""
    for module in _OWN_MODULES:
        import_module(module)
    for entry_point in entry_points(group=ENTRY_POINTS):
        try:
            entry_point.load()
        except (Exception, SystemExit) as error:
            raise InputError(
                f"{entry_point.value}, which an installed package names as a task ({entry_point.name}), cannot be loaded: "
                f"{type(error).__name__}: {error}; fix or uninstall it"
            ) from None
