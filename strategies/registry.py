"""Strategies by name: `@register` in any file of a hook's folder, in an installed package, or in a plug-in file."""

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

from strategies.hook_arguments import CHECKED_HOOKS
from strategies.notation import NotationError, build, did_you_mean
from strategies.strategy import FOLDERS, Strategy

AnyStrategy = TypeVar("AnyStrategy", bound=type[Strategy])

ENTRY_POINTS = "imbalance_bench.strategies"
"""The group of entry points by which installed packages name modules, or classes in them, that register strategies."""

_REGISTERED: dict[str, type[Strategy]] = {}
_ALIASES: dict[str, str] = {}


def register(strategy: AnyStrategy) -> AnyStrategy:
    """Make a strategy known under its `name` and its `aliases`; a class decorator.

    Parameters
    ----------
    strategy : type
        A frozen dataclass derived from `Strategy`, with the class variables `name`, `title`, `formula`, `paper` and `folder`.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    ValueError
        If a name is taken or not made of lower-case words with hyphens, if a class variable is missing, or if a hook has a
        signature that is no longer called.

    Examples
    --------
    ::

        @register
        @dataclass(frozen=True)
        class SquareRootWeights(Strategy):
            name: ClassVar[str] = "square-root-weights"
            title: ClassVar[str] = "class weights 1 / sqrt(n_c) in the loss"
            formula: ClassVar[str] = "w_y CE(z, y), w_c = 1 / sqrt(n_c)"
            paper: ClassVar[str] = "folklore"
            folder: ClassVar[str] = "loss"

            def class_weights(self, counts: ClassCounts) -> ClassWeights:
                return ClassWeights(counts.inverse(0.5))
    """
    if not isinstance(strategy, type):
        raise TypeError(
            f"@register takes nothing but the class, which has its name as a class variable; given: {strategy!r}"
        )
    for name in (getattr(strategy, "name", ""), *getattr(strategy, "aliases", ())):
        known = _REGISTERED.get(_ALIASES.get(name, name))
        if known is not None and (known.__module__, known.__qualname__) != (strategy.__module__, strategy.__qualname__):
            both = f"{known.__module__} and {strategy.__module__}"
            raise ValueError(f"two strategies are named {name!r}, in {both}; rename one")
    required = ("name", "title", "formula", "paper", "folder")
    if missing := [variable for variable in required if not hasattr(strategy, variable)]:
        raise ValueError(
            f"{strategy.__qualname__} is registered without {', '.join(missing)}; add them as class variables"
        )
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", strategy.name):
        raise ValueError(
            f"strategy {strategy.name!r}: a name is lower-case words with hyphens, such as square-root-weights"
        )
    if strategy.folder not in FOLDERS:
        raise ValueError(f"strategy {strategy.name}: folder must be one of {', '.join(FOLDERS)}")
    _check_hooks(strategy)
    _REGISTERED[strategy.name] = strategy
    _ALIASES.update(dict.fromkeys(strategy.aliases, strategy.name))
    return strategy


def names() -> tuple[str, ...]:
    """Return the names of all strategies, in the order of their folders and files.

    Those of installed packages and of plug-in files that were loaded are included; aliases are not.

    Examples
    --------
    >>> names()[0], "focal" in names()
    ('none', True)
    """
    _discover()
    return tuple(sorted(_REGISTERED, key=_folder_and_file))


def find(name: str) -> type[Strategy]:
    """Return the class of a strategy by its name or an alias; a `NotationError` names the nearest known names."""
    _discover()
    if (known := _REGISTERED.get(_ALIASES.get(name, name))) is not None:
        return known
    raise NotationError(f"unknown strategy {name!r}; {did_you_mean(name, [*names(), *_ALIASES])}")


def get(name: str, **parameters: Any) -> Strategy:
    """Return a strategy by name.

    The classes themselves can be imported too (`from strategies import LossWeights`), so that an editor completes their
    hyper-parameters.

    Parameters
    ----------
    name : str
        The name of a strategy, or an alias; `names()` lists all.
    **parameters
        Hyper-parameters, checked against the types of the strategy's fields. The others keep their defaults.

    Raises
    ------
    NotationError
        If the name or a parameter is unknown, or a value is not allowed; the message says what is.

    Examples
    --------
    >>> get("loss-weights", power=0.5)
    LossWeights(power=0.5, reduction='weighted-mean')
    """
    return build(find(name), name, named=parameters)


def load_file(path: Path) -> None:
    """Register the strategies of a Python file; a `NotationError` says why it cannot be loaded.

    The file's directory joins `sys.path`, so that processes that are started later find the module too.
    """
    _discover()
    before = set(_REGISTERED)
    if import_file(path) and set(_REGISTERED) == before:
        raise NotationError(f"{path}: registers no strategy; put @register before the class")


def import_file(path: Path) -> bool:
    """Import a plug-in's file under its own name; return whether it was not imported before."""
    if not path.is_file() or path.suffix != ".py" or "." in path.stem:
        raise NotationError(f"{path}: a plug-in is a Python file that registers strategies; give the path of one")
    _discover()  # so that a name that is taken is reported as this file's mistake
    known = importlib.util.find_spec(path.stem)
    if known is not None and (known.origin is None or Path(known.origin).resolve() != path.resolve()):
        raise NotationError(f"{path}: a module named {path.stem} exists already; rename the file")
    if path.stem in sys.modules:
        return False
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        importlib.import_module(path.stem)
    except (Exception, SystemExit) as error:
        raise NotationError(f"{path}: {type(error).__name__}: {error}") from None
    return True


def source_hash(strategy: type[Strategy]) -> str | None:
    """Return a hash of the file that defines a plug-in's strategy; None for one of this package, which has a version."""
    if strategy.__module__.partition(".")[0] == "strategies":
        return None
    file = inspect.getsourcefile(strategy)
    return None if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def _check_hooks(strategy: type[Strategy]) -> None:
    """Refuse hooks with names or signatures of earlier versions, which would never be called, or fail late."""
    if hasattr(strategy, "declines"):
        raise ValueError(
            f"{strategy.__qualname__} defines declines(labels, inputs), which is not called any more; rename it to "
            "why_not_applicable(labels, inputs)"
        )
    if list(inspect.signature(strategy.adjust).parameters) != ["self", "inputs"]:
        raise ValueError(
            f"{strategy.__qualname__} defines adjust{inspect.signature(strategy.adjust)}; it is called with one "
            "AdjustmentInputs: write adjust(self, inputs), and read inputs.head, inputs.train_prior and so on"
        )

    for name in (*CHECKED_HOOKS, "phases", "ensemble", "adjust"):
        given, called = (
            list(inspect.signature(getattr(kind, name)).parameters.values()) for kind in (strategy, Strategy)
        )
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in given)
        if lacking := [] if takes_any else [p.name for p in called if p.name not in {own.name for own in given}]:
            raise ValueError(
                f"{strategy.__qualname__} defines {name} without {', '.join(lacking)}; it is called as "
                f"{name}({', '.join(str(p).split(':')[0] for p in called[1:])}), so name every parameter"
            )


def _folder_and_file(name: str) -> tuple[int, str]:
    """Sort key: folder, then file; strategies of one file keep their order, whatever was imported first."""
    return FOLDERS.index(_REGISTERED[name].folder), _REGISTERED[name].__module__


@cache
def _discover() -> None:
    """Import every module that registers strategies: those of this package, then those of installed packages."""
    importlib.import_module("strategies.none")
    for folder in FOLDERS[1:]:
        package = importlib.import_module(f"strategies.{folder}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"strategies.{folder}.{module.name}")
    for entry_point in entry_points(group=ENTRY_POINTS):
        try:
            entry_point.load()
        except (Exception, SystemExit) as error:
            raise NotationError(
                f"{entry_point.value}, which an installed package names as a strategy ({entry_point.name}), cannot be "
                f"loaded: {type(error).__name__}: {error}; fix or uninstall it"
            ) from None
