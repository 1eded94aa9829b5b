"""Draws that leave no trace: random states and samplers are put back as they were."""

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
    """Puts back Python's, NumPy's and PyTorch's random states, the attributes of `objects`, and the generators they hold.

    A position kept inside a list, a file or a running generator cannot be put back.

    >>> held = torch.Generator().manual_seed(0)
    >>> with untouched([]):
    ...     drawn = torch.rand(1)
    >>> bool(torch.rand(1) == drawn)
    True
    """
    undo: list[Callable[[], Any]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),  # noqa: NPY002 -- it is the user's state that is kept
        partial(torch.random.set_rng_state, torch.random.get_rng_state()),
    ]
    for each in objects:
        attributes: dict[str, Any] = getattr(each, "__dict__", {})
        undo += [back for value in attributes.values() if (back := _generator_back(value)) is not None]
        undo.append(partial(_attributes_back, attributes, dict(attributes)))
    try:
        yield
    finally:
        for back in undo:
            back()


def _generator_back(value: Any) -> Callable[[], Any] | None:
    if isinstance(value, torch.Generator):
        return partial(value.set_state, value.get_state())
    if isinstance(value, np.random.Generator):
        return partial(setattr, value.bit_generator, "state", value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return partial(value.set_state, value.get_state())
    if isinstance(value, random.Random):
        return partial(value.setstate, value.getstate())
    return None


def _attributes_back(now: dict[str, Any], before: dict[str, Any]) -> None:
    now.clear()
    now.update(before)
