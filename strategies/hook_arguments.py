"""Check what a strategy's hooks are called with, so that raw labels or counts are neither ignored nor fail much later."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from strategies.labels import ClassCounts, Labels

AnyHook = TypeVar("AnyHook", bound=Callable[..., Any])

CHECKED_HOOKS = {
    "why_not_applicable": ("labels",),
    "resample": ("x", "labels"),
    "item_weights": ("labels", "counts"),
    "index_stream": ("labels", "counts"),
    "mix": ("targets", "counts"),
    "class_weights": ("counts",),
    "loss": ("counts",),
    "effective_prior": ("labels", "counts"),
}
"""The first parameters of each hook that takes labels or counts, in their order."""

_KINDS = {"labels": Labels, "counts": ClassCounts}
_FIXES = {
    "labels": "Labels.of(y) takes one class id per item, Labels.packed(items) several",
    "counts": "ClassCounts.of(y) counts class ids, ClassCounts.from_counts(n) takes numbers of labels",
}


def check_arguments(hook: AnyHook) -> AnyHook:
    """Let a hook raise a ValueError, which says what to give, if `labels` or `counts` are something else."""
    parameters = CHECKED_HOOKS[hook.__name__]

    @wraps(hook)
    def checked(strategy: Any, *arguments: Any, **named: Any) -> Any:
        for name, value in (*zip(parameters, arguments, strict=False), *named.items()):
            kind = _KINDS.get(name)
            if kind is not None and not isinstance(value, kind):
                raise ValueError(
                    f"{strategy}: {hook.__name__} takes {name} as {kind.__name__}; given: {type(value).__name__}. "
                    f"{_FIXES[name]}."
                )
        return hook(strategy, *arguments, **named)

    return cast(AnyHook, checked)
