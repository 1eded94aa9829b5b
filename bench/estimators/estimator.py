"""An estimator as a learner: built unfitted from a seed, on one thread, whether it is this package's or a user's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.errors import InputError
from bench.estimators.estimator_parameters import set_seed, use_one_thread
from bench.estimators.estimator_table import find_estimator
from bench.models.seeded_rng import isolated_rng
from bench.models.user_module import load_factory
from bench.user_code.module_loader import describe_error, last_line

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Estimator:
    """The name of an estimator in records, and `build(seed)`, which returns it unfitted."""

    name: str
    build: Callable[[int], Any]
    takes_weights: bool = True
    """Whether its `fit` takes weights of rows; of a user's estimator it is known after `check_estimator`."""

    @property
    def description(self) -> str:
        """The class and its hyper-parameters, as scikit-learn prints them, without the seed."""
        estimator = self.build(0)
        if not hasattr(estimator, "get_params"):
            return type(estimator).__name__
        set_seed(estimator, None)
        return _ADDRESS.sub("", " ".join(repr(estimator).split()))


def load_estimator(model: str, source: str) -> Estimator:
    """Return the estimator of that name, or of the user's `ABSOLUTE.py:NAME`, a file with the hash `source`."""
    if not source:
        known = find_estimator(model)
        assert known is not None, f"{model} is no estimator"
        return Estimator(model, known.build)
    name, factory = Path(model).name, load_factory(model, source)
    return Estimator(name, lambda seed: _build_users_estimator(name, factory, seed))


def returns_estimator(model: str, source: str) -> bool:
    """Whether a user's `ABSOLUTE.py:NAME` is a classifier, or a function that returns one: it needs no argument but a seed.

    A function that returns an nn.Module takes the sizes of the task.
    """
    factory = load_factory(model, source)
    if inspect.isclass(factory):
        return hasattr(factory, "fit")
    return all(
        name == "seed" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for name, parameter in inspect.signature(factory).parameters.items()
    )


def _build_users_estimator(name: str, factory: Callable[..., Any], seed: int) -> Any:
    """Call a user's function; what it returns draws its random numbers from the seed, and uses one thread."""
    takes_seed = "seed" in inspect.signature(factory).parameters
    try:
        with isolated_rng(seed, torch.device("cpu")):
            estimator = factory(seed=seed) if takes_seed else factory()
    except (Exception, SystemExit) as error:
        raise InputError(f"{last_line(error, name)}: {name} failed: {describe_error(error)}") from None
    use_one_thread(estimator)  # every worker process has one core
    if not takes_seed:
        set_seed(estimator, seed)
    return estimator
