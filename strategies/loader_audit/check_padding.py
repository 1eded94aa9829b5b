"""Check whether padding is counted as a class."""

from __future__ import annotations

import torch

from strategies.labels import IGNORED, Labels
from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.finding import AuditFinding

NAMES = {"pad", "<pad>", "[pad]", "_pad_", "padding", "<padding>"}
"""Class names that mean padding, in lower case."""
MIN_LABELS = 20
"""Labels below which a class may be at the ends of items by chance."""
MIN_SHARE = 0.05
"""Share of all positions below which the same holds."""


def find_pad_classes(labels: Labels, pad: int | str | None) -> tuple[int, ...]:
    """Return the class ids that are padding.

    Parameters
    ----------
    labels
        The labels as the user gave them.
    pad
        Class id or class name of the padding; -100 if none is a class. None recognises classes with a name such as "PAD",
        or that only fill up the ends of items to equal lengths.

    Raises
    ------
    ValueError
        If `pad` is no class.

    Examples
    --------
    >>> find_pad_classes(Labels.of([0, 1], ("PAD", "O")), None)
    (0,)
    """
    names = [name.strip() for name in labels.class_names]
    if isinstance(pad, str):
        if pad.strip() not in names:
            raise ValueError(
                f"pad must be a class id or one of the class names {', '.join(names[:12])}; given: {pad!r}"
            )
        return (names.index(pad.strip()),)
    if pad is not None:
        if pad == IGNORED:
            return ()
        if not 0 <= pad < labels.num_classes:
            raise ValueError(
                f"pad must be a class id from 0 to {labels.num_classes - 1}, a name, or -100; given: {pad}"
            )
        return (pad,)
    by_name = tuple(c for c, name in enumerate(names) if name.lower() in NAMES)
    return by_name or _filling_classes(labels)


def mask_padding(labels: Labels, pad_classes: tuple[int, ...]) -> Labels:
    """Return the same items with no label where padding was."""
    if not pad_classes:
        return labels
    is_pad = torch.isin(labels.values, torch.tensor(pad_classes))
    return Labels(labels.values.masked_fill(is_pad, IGNORED), labels.offsets, labels.class_names)


def find_pad_counted(context: AuditContext) -> AuditFinding | None:
    """Report that padding counts as a class of its own."""
    counts = context.given_labels.counts().values
    pad_classes = [c for c in context.pad_classes if counts[c]]
    if not pad_classes or _is_left_out(context):
        return None
    pad, total = pad_classes[0], int(counts.sum())
    return AuditFinding(
        "pad-counted",
        f"The padding, {context.describe_class(pad)}, counts as a class: {int(counts[pad]):,} of {total:,} labels "
        f"({int(counts[pad]) / total:.0%}).",
        f"labels[labels == {pad}] = -100  # before counting classes and weights\n"
        "loss_fn = nn.CrossEntropyLoss(ignore_index=-100)",
        explains_mix=context.natural_mix_test.rejects,
        subject="labels",
    )


def _is_left_out(context: AuditContext) -> bool:
    """Whether padding that the user declared is ignored by the loss, and not sampled as a class of its own."""
    if not context.pad_declared or not set(context.loss.ignored_classes) & set(context.pad_classes):
        return False
    if not context.labels.single_label or context.observation is None:
        return True
    index = context.observation.first_epoch_indices
    index = index[(index >= 0) & (index < len(context.labels))]
    return not bool((context.labels.values[index] == IGNORED).any())


def _filling_classes(labels: Labels) -> tuple[int, ...]:
    """Return classes that are only at the ends of items, in items that are filled up to one length."""
    positions = labels.positions
    if not len(labels) or int(positions.min()) != int(positions.max()) or int(positions.max()) < 3:
        return ()
    table = labels.values.view(len(labels), -1)
    filling = []
    for c, count in enumerate(labels.counts().values.tolist()):
        if count < max(MIN_LABELS, MIN_SHARE * len(labels.values)):
            continue
        is_other = table != c
        times = (~is_other).sum(1)
        if int(times.max()) < 2 or int(times.min()) == int(times.max()):
            continue  # a mark that ends every item is no padding
        other_before = is_other.cumsum(1) > 0
        other_after = is_other.flip(1).cumsum(1).flip(1) > 0
        is_inside = (table == c) & other_before & other_after
        if not bool(is_inside.any()) and bool(is_other.any(1).all()):
            filling.append(c)
    return tuple(filling)
