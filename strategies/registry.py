"""Strategies by name: `@register` in a file of a hook's folder, and the file is found."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from strategies.notation import NotationError, build, did_you_mean, parse_call

if TYPE_CHECKING:
    from strategies.strategy import Strategy

    AnyStrategy = TypeVar("AnyStrategy", bound=type[Strategy])

_REGISTERED: dict[str, type[Strategy]] = {}
_FOLDERS = ("resample", "sample", "loss")


def register(strategy: AnyStrategy) -> AnyStrategy:
    """Class decorator: makes a strategy known under its `name`."""
    known = _REGISTERED.get(strategy.name)
    if known is not None and (known.__module__, known.__qualname__) != (strategy.__module__, strategy.__qualname__):
        both = f"{known.__module__} and {strategy.__module__}"
        raise ValueError(f"two strategies are named {strategy.name!r}, in {both}; rename one")
    _REGISTERED[strategy.name] = strategy
    return strategy


def names() -> tuple[str, ...]:
    """Names of all strategies, in the order of the folders and files."""
    _discover()
    return tuple(_REGISTERED)


def find(name: str) -> type[Strategy]:
    """The class of a strategy; a `NotationError` names the nearest known ones."""
    _discover()
    if name in _REGISTERED:
        return _REGISTERED[name]
    raise NotationError(f"unknown strategy {name!r}; {did_you_mean(name, _REGISTERED)}")


def get(name: str, **parameters: Any) -> Strategy:
    """A strategy by name, with hyper-parameters.

    >>> get("loss-weights", power=0.5).power
    0.5
    """
    return build(find(name), name, named=parameters)


def parse(text: str) -> Strategy:
    """A strategy as suites, the command line and plots write it.

    >>> parse("loss-weights(power=0.5)"), parse("oversampling(smote)").kind
    (LossWeights(power=0.5, reduction='weighted-mean'), 'smote')
    """
    name, unnamed, named = parse_call(text)
    return build(find(name), name, unnamed, named)


@cache
def _discover() -> None:
    importlib.import_module("strategies.none")
    for folder in _FOLDERS:
        package = importlib.import_module(f"strategies.{folder}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"strategies.{folder}.{module.name}")
