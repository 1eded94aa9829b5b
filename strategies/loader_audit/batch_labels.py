"""Find the labels inside what a data set or a batch generator yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from strategies.labels import Labels

KEYS = ("labels", "label", "targets", "target", "tags", "y")
"""Keys of a dictionary under which labels are looked for, in this order."""


def item_target(item: Any) -> Any | None:
    """Return the label of an item (or collated batch): the last part of a tuple, or the value of a dictionary's "label" or alike.

    >>> item_target(("a picture", 3)), item_target({"x": 0.5, "label": 1}), item_target("no label here")
    (3, 1, None)
    """
    if isinstance(item, Mapping):
        return next((item[key] for key in KEYS if key in item), None)
    return item[-1] if isinstance(item, tuple | list) and len(item) > 1 else None


def batch_targets(batch: Any) -> list[Any] | None:
    """Return the label of each item of a batch, which may be collated, (x, y), or a list of items; None if it has no labels.

    >>> batch_targets([("EU rejects", 0), ("German call", 1)]), batch_targets(([0.1, 0.2], np.array([0, 1])))
    ([0, 1], [0, 1])
    """
    if isinstance(batch, list) and batch and all(isinstance(item, tuple | list | Mapping) for item in batch):
        targets = [item_target(item) for item in batch]
        return None if any(target is None for target in targets) else [_to_plain(target) for target in targets]
    target = _to_plain(item_target(batch))
    return list(target) if isinstance(target, Sequence) and not isinstance(target, str) else None


def labels_from_targets(targets: Sequence[Any], class_names: Sequence[str]) -> Labels:
    """Return targets as `Labels`: class ids or class names, one or many per item.

    >>> labels_from_targets([["O", "B-PER"], ["O"]], ("O", "B-PER")).values.tolist()
    [0, 1, 0]
    """
    names = [name.strip() for name in class_names]
    items = [_to_ids(_to_plain(target), names) for target in targets]
    if all(isinstance(item, int) for item in items):
        return Labels.of(items, class_names)
    return Labels.packed([[item] if isinstance(item, int) else item for item in items], class_names)


def _to_plain(target: Any) -> Any:
    """Return a tensor or array as Python numbers, anything else as it is."""
    return target.tolist() if isinstance(target, Tensor | np.ndarray | np.generic) else target


def _to_ids(target: Any, class_names: list[str]) -> Any:
    """Return a class id for each class name or id, in a list where the target is a sequence."""
    if isinstance(target, str):
        if target.strip() in class_names:
            return class_names.index(target.strip())
    elif isinstance(target, int):
        return int(target)
    elif isinstance(target, Sequence):
        return [_to_ids(_to_plain(label), class_names) for label in target]
    raise ValueError(
        f"a label must be a class id or one of the class names ({', '.join(class_names[:12])}); given: {target!r}. "
        "Name the classes in class_names=, in the order of their ids."
    )
