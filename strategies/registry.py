"""Strategies by name: `@register` in a file of a hook's folder, and the file is found; so are those of installed packages."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from strategies.notation import NotationError, build, did_you_mean
from strategies.strategy import FOLDERS, Strategy

AnyStrategy = TypeVar("AnyStrategy", bound=type[Strategy])

GROUP = "imbalance_bench.strategies"
"""Entry points of this group name modules, or classes in them, of packages that bring strategies."""

_REGISTERED: dict[str, type[Strategy]] = {}
_ALIASES: dict[str, str] = {}


def register(strategy: AnyStrategy) -> AnyStrategy:
    """Class decorator: makes a strategy known under its `name` and its `aliases`."""
    for name in (getattr(strategy, "name", ""), *getattr(strategy, "aliases", ())):
        known = _REGISTERED.get(_ALIASES.get(name, name))
        if known is not None and (known.__module__, known.__qualname__) != (strategy.__module__, strategy.__qualname__):
            both = f"{known.__module__} and {strategy.__module__}"
            raise ValueError(f"two strategies are named {name!r}, in {both}; rename one")
    if without := [each for each in ("name", "title", "formula", "paper", "folder") if not hasattr(strategy, each)]:
        raise ValueError(
            f"{strategy.__qualname__} is registered without {', '.join(without)}; add them as class variables"
        )
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", strategy.name):
        raise ValueError(
            f"strategy {strategy.name!r}: a name is lower-case words with hyphens, such as square-root-weights"
        )
    if strategy.folder not in FOLDERS:
        raise ValueError(f"strategy {strategy.name}: folder must be one of {', '.join(FOLDERS)}")
    _REGISTERED[strategy.name] = strategy
    _ALIASES.update(dict.fromkeys(strategy.aliases, strategy.name))
    return strategy


def names() -> tuple[str, ...]:
    """Names of all strategies, in the order of the folders and files."""
    _discover()
    return tuple(sorted(_REGISTERED, key=_place))


def _place(name: str) -> tuple[int, str]:
    """Folder and file; strategies of one file keep their order, whatever was imported first."""
    return FOLDERS.index(_REGISTERED[name].folder), _REGISTERED[name].__module__


def find(name: str) -> type[Strategy]:
    """The class of a strategy, by its name or an alias; a `NotationError` names the nearest known ones."""
    _discover()
    if (known := _REGISTERED.get(_ALIASES.get(name, name))) is not None:
        return known
    raise NotationError(f"unknown strategy {name!r}; {did_you_mean(name, [*names(), *_ALIASES])}")


def get(name: str, **parameters: Any) -> Strategy:
    """A strategy by name, with hyper-parameters.

    >>> get("loss-weights", power=0.5).power
    0.5
    """
    return build(find(name), name, named=parameters)


def load_file(path: Path) -> None:
    """Registers the strategies of a Python file, so that they are known by name; a `NotationError` if it cannot be read.

    The file's directory joins `sys.path`: processes that are started later find the module too.
    """
    if not path.is_file() or path.suffix != ".py" or "." in path.stem:
        raise NotationError(f"{path}: a plug-in is a Python file that registers strategies; give the path of one")
    _discover()  # so that a name which is taken is this file's fault
    known = importlib.util.find_spec(path.stem)
    if known is not None and (known.origin is None or Path(known.origin).resolve() != path.resolve()):
        raise NotationError(f"{path}: a module named {path.stem} is there already; rename the file")
    if path.stem in sys.modules:
        return
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    before = set(_REGISTERED)
    try:
        importlib.import_module(path.stem)
    except (Exception, SystemExit) as error:
        raise NotationError(f"{path}: {type(error).__name__}: {error}") from None
    if set(_REGISTERED) == before:
        raise NotationError(f"{path}: registers no strategy; put @register before the class")


def source_hash(strategy: type[Strategy]) -> str | None:
    """A hash of the file a plug-in's strategy is written in; None for one of this package, which has a version."""
    if strategy.__module__.partition(".")[0] == "strategies":
        return None
    file = inspect.getsourcefile(strategy)
    return None if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


@cache
def _discover() -> None:
    importlib.import_module("strategies.none")
    for folder in FOLDERS[1:]:
        package = importlib.import_module(f"strategies.{folder}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"strategies.{folder}.{module.name}")
    for each in entry_points(group=GROUP):
        try:
            each.load()
        except (Exception, SystemExit) as error:
            raise NotationError(
                f"{each.value}, which an installed package names as a strategy ({each.name}), cannot be loaded: "
                f"{type(error).__name__}: {error}; mend or uninstall it"
            ) from None
