"""Read loaders and data sets without a trace: random states and samplers are restored afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch


@contextmanager
def preserve_state(objects: Iterable[Any]) -> Iterator[None]:
    """Restore, on exit, the random states of Python, NumPy and PyTorch, and the attributes and generators of `objects`.

    A position that is kept inside a list, a file or a running generator cannot be restored.

    >>> _ = torch.manual_seed(0)
    >>> with preserve_state([]):
    ...     inside = torch.rand(1)
    >>> bool(torch.rand(1) == inside)
    True
    """
    restorers: list[Callable[[], Any]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),  # noqa: NPY002 -- it is the user's state that is kept
        partial(torch.random.set_rng_state, torch.random.get_rng_state()),
    ]
    for holder in objects:
        attributes: dict[str, Any] = getattr(holder, "__dict__", {})
        restorers += [restorer for value in attributes.values() if (restorer := _generator_restorer(value)) is not None]
        restorers.append(partial(_restore_attributes, attributes, dict(attributes)))
    try:
        yield
    finally:
        for restore in restorers:
            restore()


def _generator_restorer(value: Any) -> Callable[[], Any] | None:
    """Return a function that restores a random generator to its state of now; None if `value` is no generator."""
    if isinstance(value, torch.Generator):
        return partial(value.set_state, value.get_state())
    if isinstance(value, np.random.Generator):
        return partial(setattr, value.bit_generator, "state", value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return partial(value.set_state, value.get_state())
    if isinstance(value, random.Random):
        return partial(value.setstate, value.getstate())
    return None


def _restore_attributes(attributes: dict[str, Any], before: dict[str, Any]) -> None:
    attributes.clear()
    attributes.update(before)
