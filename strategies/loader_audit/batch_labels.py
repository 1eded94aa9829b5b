"""The labels inside what a data set or a batch generator yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from strategies.labels import Labels

KEYS = ("labels", "label", "targets", "target", "tags", "y")


def item_target(item: Any) -> Any | None:
    """What a data set's item (or a collated batch) has as its label: a dictionary's "labels" or alike, a tuple's last part.

    >>> target_of(("a picture", 3)), target_of({"x": 0.5, "label": 1}), target_of("no label here")
    (3, 1, None)
    """
    if isinstance(item, Mapping):
        return next((item[key] for key in KEYS if key in item), None)
    return item[-1] if isinstance(item, tuple | list) and len(item) > 1 else None


def batch_targets(batch: Any) -> list[Any] | None:
    """The label of each item of a batch, whether it is collated, (x, y), or a list of items; None where it holds none.

    >>> targets_of([("EU rejects", 0), ("German call", 1)]), targets_of(([0.1, 0.2], np.array([0, 1])))
    ([0, 1], [0, 1])
    """
    if isinstance(batch, list) and batch and all(isinstance(each, tuple | list | Mapping) for each in batch):
        found = [item_target(each) for each in batch]
        return None if any(each is None for each in found) else [_plain(each) for each in found]
    target = _plain(item_target(batch))
    return list(target) if isinstance(target, Sequence) and not isinstance(target, str) else None


def labels_from_targets(targets: Sequence[Any], class_names: Sequence[str]) -> Labels:
    """Targets as `Labels`: class ids or class names, one or many an item.

    >>> as_labels([["O", "B-PER"], ["O"]], ("O", "B-PER")).values.tolist()
    [0, 1, 0]
    """
    names = [name.strip() for name in class_names]
    items = [_ids(_plain(each), names) for each in targets]
    if all(isinstance(each, int) for each in items):
        return Labels.of(items, class_names)
    return Labels.packed([[each] if isinstance(each, int) else each for each in items], class_names)


def _plain(target: Any) -> Any:
    return target.tolist() if isinstance(target, Tensor | np.ndarray | np.generic) else target


def _ids(target: Any, class_names: list[str]) -> Any:
    if isinstance(target, str):
        if target.strip() in class_names:
            return class_names.index(target.strip())
    elif isinstance(target, int):
        return int(target)
    elif isinstance(target, Sequence):
        return [_ids(_plain(each), class_names) for each in target]
    raise ValueError(
        f"a label must be a class id or one of the class names ({', '.join(class_names[:12])}); given: {target!r}. "
        "Name the classes in class_names=, in the order of their ids."
    )
