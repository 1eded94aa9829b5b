"""The labels of the items that a loader reads: as the user gave them, and as the data set yields them."""

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
from strategies.loader_audit.mix_significance import chi_square_test
from strategies.loader_audit.observation import Observation
from strategies.loader_audit.preserved_state import preserve_state

MAX_READ = 2_000
"""Items of a data set that are read at most if its labels are not known in any other way."""
COMPARED = 64
"""Sampled items whose given labels are compared with those that the data set yields."""
COMPARED_MIX = 256
"""Random items whose class mix is compared if few of the sampled ones agree."""
MIN_AGREEMENT = 1 / 3
"""Numbers that a data set yields are taken to be labels if so much more of them agree with the labels than by chance, as a
share of what chance leaves (Cohen's kappa)."""

LabelPair = tuple[list[int], list[int]]
"""The classes of one item as the data set yields them, and as they were given."""


def parse_labels(labels: Any, class_names: Sequence[str] | None, min_classes: int = 0) -> Labels:
    """Return the labels that a user gave, with names for at least `min_classes` classes.

    >>> parse_labels([0, 1], None, min_classes=3).class_names
    ('0', '1', '2')
    """
    if hasattr(labels, "to_numpy"):
        labels = np.array(labels.to_numpy())  # the array of a pandas Series is read-only
    try:
        if isinstance(labels, list | tuple) and len(labels) and isinstance(labels[0], str):
            raise TypeError("class names")
        parsed = read_labels(labels, "audit")
    except (TypeError, RuntimeError):
        raise ValueError(
            "audit needs labels that are class ids, whole numbers from 0 (or -100 where there is none); "
            f"given: {type(labels).__name__} of something else. Map the class names to ids."
        ) from None
    if not len(parsed):
        raise ValueError("audit needs the labels of at least one item; given: labels of 0 items")
    names = tuple(class_names or parsed.class_names)
    if len(names) < parsed.num_classes:
        raise ValueError(
            f"class_names has {len(names)} {'name' if len(names) == 1 else 'names'}, labels have ids to "
            f"{parsed.num_classes - 1}; name every class, in the order of the ids"
        )
    names += tuple(str(c) for c in range(len(names), min_classes))
    return Labels(parsed.values, parsed.offsets, names)


def labels_of_source(labels: Labels, source: LoaderSource) -> Labels:
    """Return the labels of the data set that the loader reads.

    These are the given ones; where those are the labels of a Subset's parent, its share of them; where they are as many as the
    sampler was built for, but fewer than the items of the data set, those that the data set itself holds or yields.
    """
    dataset: Any = source.dataset
    if source.dataset_length in (None, len(labels)):
        return labels
    if (subset_labels := _subset_labels(labels, dataset)) is not None:
        return subset_labels
    if source.sized_sampler is not None and source.sized_sampler[1] == len(labels):
        return _labels_of_dataset(dataset, labels.class_names) or labels
    raise ValueError(
        f"audit needs one label for each of the {len(dataset):,} items of the {type(dataset).__name__} that the loader "
        f"reads; given: labels of {len(labels):,} items. Give the labels of that data set, in its order."
    )


def find_label_mismatch(labels: Labels, source: LoaderSource, observation: Observation | None) -> AuditFinding | None:
    """Report that the data set yields other labels than those given."""
    dataset: Any = source.dataset
    if dataset is None or observation is None or not observation.indices or len(labels) != len(dataset):
        return None
    valid = [i for i in observation.indices if 0 <= i < len(labels)]
    pairs = _label_pairs(labels, dataset, valid[:: max(1, len(valid) // COMPARED)][:COMPARED])
    if pairs is None:
        return None
    different = sum(any(a != b for a, b in zip(*pair, strict=True) if a >= 0 <= b) for pair in pairs)
    if not different or not (_agree_beyond_chance(pairs) or _yields_class_mix(labels, dataset)):
        return None
    return AuditFinding(
        "labels-differ",
        f"Of {len(pairs)} sampled items, the {type(dataset).__name__} yields {different} with another label than the one given "
        "to audit(): labels and data set are in different orders, or belong to different data.",
        "labels = torch.tensor([y for x, y in dataset])  # the data set that the loader reads",
        explains_mix=True,
        subject="labels",
    )


def _label_pairs(labels: Labels, dataset: Any, index: list[int]) -> list[LabelPair] | None:
    """Return the yielded and given classes of each item; None where what the data set yields cannot be labels."""
    given = labels.take(torch.tensor(index, dtype=torch.int64))
    given_classes = [classes.tolist() for classes in given.values.split(given.positions.tolist())]
    try:
        with preserve_state([dataset]):
            yielded_classes = [_item_classes(dataset[i]) for i in index]
    except Exception:  # a data set that cannot be read fails in the training loop too, and with a better message
        return None
    pairs = [
        (yielded, given)
        for yielded, given in zip(yielded_classes, given_classes, strict=True)
        if yielded is not None and len(yielded) == len(given)
    ]
    if len(pairs) < len(index) or any(label >= labels.num_classes for yielded, _ in pairs for label in yielded):
        return None
    return pairs


def _agree_beyond_chance(pairs: list[LabelPair]) -> bool:
    """Whether what is yielded agrees with the labels far more often than it would by chance."""
    both = [(a, b) for pair in pairs for a, b in zip(*pair, strict=True) if a >= 0 <= b]
    yielded, given = Counter(a for a, _ in both), Counter(b for _, b in both)
    chance = sum(yielded[c] * given[c] for c in yielded) / max(1, len(both)) ** 2
    agreeing = sum(a == b for a, b in both)
    return agreeing - chance * len(both) >= MIN_AGREEMENT * (1 - chance) * len(both) > 0


def _yields_class_mix(labels: Labels, dataset: Any) -> bool:
    """Whether random items of the data set have the class mix of the labels, as the same labels in another order have."""
    index = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))[:COMPARED_MIX].tolist()
    pairs = _label_pairs(labels, dataset, index)
    if pairs is None:
        return False
    yielded = [[label if label >= 0 else IGNORED for label in classes] for classes, _ in pairs]
    counts = labels.counts().values.double()
    return not chi_square_test(Labels.packed(yielded, labels.class_names), counts / counts.sum()).rejects


def _subset_labels(labels: Labels, dataset: Any) -> Labels | None:
    """Return the labels of a Subset from those of its parent, or of the parent's parent; None if `labels` are of neither."""
    if not isinstance(dataset, Subset):
        return None
    parent: Any = dataset.dataset
    parent_labels = labels if len(labels) == len(parent) else _subset_labels(labels, parent)
    if parent_labels is None:
        return None
    return parent_labels.take(torch.as_tensor(dataset.indices, dtype=torch.int64))


def _labels_of_dataset(dataset: Any, class_names: tuple[str, ...]) -> Labels | None:
    """Return the labels that a data set holds or yields; None if it has none, or is too large to be read."""
    try:
        labels = read_labels(dataset, "audit")
    except ValueError:
        if len(dataset) > MAX_READ:
            return None
        with preserve_state([dataset]):
            targets = [_item_classes(dataset[i]) for i in range(len(dataset))]
        if any(target is None for target in targets):
            return None
        unwrapped = [target[0] if target is not None and len(target) == 1 else target for target in targets]
        return labels_from_targets(unwrapped, class_names)
    names = class_names if labels.num_classes <= len(class_names) else labels.class_names
    return Labels(labels.values, labels.offsets, names)


def _item_classes(item: Any) -> list[int] | None:
    """Return the class ids of an item (x, y) or {"label": y}; None if it is something else."""
    if not isinstance(item, Mapping) and not (isinstance(item, tuple | list) and len(item) == 2):
        return None
    target = item_target(item)
    try:
        classes = torch.as_tensor(target).reshape(-1)
    except (TypeError, ValueError, RuntimeError):
        return None
    return None if classes.is_floating_point() or classes.dtype == torch.bool else classes.tolist()
