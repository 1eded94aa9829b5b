"""The labels of the items that a loader reads: as they were given, and as its data set yields them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Subset

from strategies.dataset_labels import read_labels
from strategies.labels import IGNORED, Labels
from strategies.loader_audit.batch_labels import item_target, labels_from_targets
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.loader_source import LoaderSource
from strategies.loader_audit.mix_test import compare
from strategies.loader_audit.observed import Observation
from strategies.loader_audit.preserved_state import preserve_state

READ = 2_000
"""Items of the data set that are read at most where their labels are not known otherwise."""
COMPARED = 64
"""Items whose given labels are compared with those that the data set yields."""

LOOKED_AT = 256
"""Items whose numbers are compared with the class mix where few of them agree with the labels."""
AGREES = 1 / 3
"""The share of what chance leaves that must agree for numbers to be taken for labels."""
Pair = tuple[list[int], list[int]]


def parse_labels(labels: Any, class_names: Sequence[str] | None, classes: int = 0) -> Labels:
    """What a user calls the labels, with a name for each of `classes` at least.

    >>> given_labels([0, 1], None, classes=3).class_names
    ('0', '1', '2')
    """
    if hasattr(labels, "to_numpy"):
        labels = np.array(labels.to_numpy())  # a pandas Series lends its own, read-only
    try:
        if isinstance(labels, list | tuple) and len(labels) and isinstance(labels[0], str):
            raise TypeError("class names")
        found = read_labels(labels, "audit")
    except (TypeError, RuntimeError):
        raise ValueError(
            "audit needs labels that are class ids, whole numbers from 0 (or -100 where there is none); "
            f"given: {type(labels).__name__} of something else. Map the class names to ids."
        ) from None
    if not len(found):
        raise ValueError("audit needs the labels of at least one item; given: none")
    names = tuple(class_names or found.class_names)
    if len(names) < found.num_classes:
        raise ValueError(
            f"class_names has {len(names)} {'name' if len(names) == 1 else 'names'}, labels have ids to "
            f"{found.num_classes - 1}; name every class, in the order of the ids"
        )
    names += tuple(str(c) for c in range(len(names), classes))
    return Labels(found.values, found.offsets, names)


def labels_of_source(labels: Labels, source: LoaderSource) -> Labels:
    """The labels of the loader's data set: those given, or where they are of a Subset's parent, its share of them.

    Labels of only a part of the data set, as many as the sampler was made for, are replaced by the data set's own.
    """
    dataset: Any = source.dataset
    if dataset is None or not hasattr(dataset, "__len__") or len(labels) == len(dataset):
        return labels
    if (share := _share(labels, dataset)) is not None:
        return share
    if source.made_for is not None and source.made_for[1] == len(labels):
        return _own_labels(dataset, source, labels.class_names) or labels
    raise ValueError(
        f"audit needs one label for each of the {len(dataset):,} items of the {type(dataset).__name__} that the loader "
        f"reads; given: labels of {len(labels):,} items. Give the labels of that data set, in its order."
    )


def find_label_mismatch(labels: Labels, source: LoaderSource, draws: Observation | None) -> AuditFinding | None:
    """Whether the data set yields other labels than those given."""
    dataset: Any = source.dataset
    if dataset is None or draws is None or not draws.index or len(labels) != len(dataset):
        return None
    known = [i for i in draws.index if 0 <= i < len(labels)]
    pairs = _pairs(labels, dataset, known[:: max(1, len(known) // COMPARED)][:COMPARED])
    if pairs is None:
        return None
    differ = sum(any(a != b for a, b in zip(*pair, strict=True) if a >= 0 <= b) for pair in pairs)
    if not differ or not (_agree(pairs) or _alike(labels, dataset)):
        return None
    return AuditFinding(
        "labels-differ",
        f"of {len(pairs)} items drawn, {differ} come from the {type(dataset).__name__} with another label than the one given: "
        "labels and data set are in different orders, or of different data.",
        "labels = torch.tensor([y for x, y in dataset])  # the data set that the loader reads",
        moves_mix=True,
    )


def _pairs(labels: Labels, dataset: Any, index: list[int]) -> list[Pair] | None:
    """Of each item the classes that the data set yields, and those given; None where what it yields can be no labels."""
    given = labels.take(torch.tensor(index, dtype=torch.int64))
    said = [each.tolist() for each in given.values.split(given.positions.tolist())]
    try:
        with preserve_state([dataset]):
            yielded = [_classes(dataset[i]) for i in index]
    except Exception:  # what a data set cannot read is its own affair, and the training loop's
        return None
    pairs = [(a, b) for a, b in zip(yielded, said, strict=True) if a is not None and len(a) == len(b)]
    if len(pairs) < len(index) or any(label >= labels.num_classes for a, _ in pairs for label in a):
        return None
    return pairs


def _agree(pairs: list[Pair]) -> bool:
    """Whether what is yielded agrees with the labels far more often than it would by chance."""
    both = [(a, b) for pair in pairs for a, b in zip(*pair, strict=True) if a >= 0 <= b]
    yielded, given = Counter(a for a, _ in both), Counter(b for _, b in both)
    chance = sum(yielded[c] * given[c] for c in yielded) / max(1, len(both)) ** 2
    return sum(a == b for a, b in both) - chance * len(both) >= AGREES * (1 - chance) * len(both) > 0


def _alike(labels: Labels, dataset: Any) -> bool:
    """Whether the data set, read at random, yields ids in the class mix of the labels, as labels of another order are."""
    index = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))[:LOOKED_AT].tolist()
    pairs = _pairs(labels, dataset, index)
    if pairs is None:
        return False
    yielded = [[label if label >= 0 else IGNORED for label in a] for a, _ in pairs]
    counts = labels.counts().values.double()
    return not compare(Labels.packed(yielded, labels.class_names), counts / counts.sum()).rejects


def _share(labels: Labels, dataset: Any) -> Labels | None:
    if not isinstance(dataset, Subset):
        return None
    parent: Any = dataset.dataset
    of_parent = labels if len(labels) == len(parent) else _share(labels, parent)
    if of_parent is None:
        return None
    return of_parent.take(torch.as_tensor(dataset.indices, dtype=torch.int64))


def _own_labels(dataset: Any, source: LoaderSource, class_names: tuple[str, ...]) -> Labels | None:
    """None where the data set neither has labels nor yields them, or would take long to read."""
    try:
        found = read_labels(dataset, "audit")
    except ValueError:
        if len(dataset) > READ:
            return None
        with preserve_state([dataset]):
            targets = [_classes(dataset[i]) for i in range(len(dataset))]
        if any(target is None for target in targets):
            return None
        singles = [target[0] if target is not None and len(target) == 1 else target for target in targets]
        return labels_from_targets(singles, class_names)
    names = class_names if found.num_classes <= len(class_names) else found.class_names
    return Labels(found.values, found.offsets, names)


def _classes(item: Any) -> list[int] | None:
    """The class ids of an item (x, y) or {"label": y}; None where there are none, or something else."""
    if not isinstance(item, Mapping) and not (isinstance(item, tuple | list) and len(item) == 2):
        return None
    target = item_target(item)
    try:
        classes = torch.as_tensor(target).reshape(-1)
    except (TypeError, ValueError, RuntimeError):
        return None
    return None if classes.is_floating_point() or classes.dtype == torch.bool else classes.tolist()
