"""Padding that is counted as a class."""

from __future__ import annotations

import torch

from strategies.labels import IGNORED, Labels
from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.finding import AuditFinding

NAMES = {"pad", "<pad>", "[pad]", "_pad_", "padding", "<padding>"}
FEWEST = 20
"""Labels below which a class may stand at the ends of items by chance."""
SHARE = 0.05


def find_pad_classes(labels: Labels, pad: int | str | None) -> tuple[int, ...]:
    """The classes that are padding: the one given, those of such a name, and those that only fill up the ends of items.

    >>> pad_classes(Labels.of([0, 1], ("PAD", "O")), None)
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
    named = tuple(c for c, name in enumerate(names) if name.lower() in NAMES)
    return named or _filling(labels)


def mask_padding(labels: Labels, pads: tuple[int, ...]) -> Labels:
    """The same items with no label where padding was."""
    if not pads:
        return labels
    is_pad = torch.isin(labels.values, torch.tensor(pads))
    return Labels(labels.values.masked_fill(is_pad, IGNORED), labels.offsets, labels.class_names)


def pad_counted(wiring: AuditContext) -> AuditFinding | None:
    """Labels of padding count as a class of their own."""
    counts = wiring.given.counts().values
    pads = [c for c in wiring.pads if counts[c]]
    if not pads or _harmless(wiring):
        return None
    pad, total = pads[0], int(counts.sum())
    return AuditFinding(
        "pad-counted",
        f"{wiring.name_of(pad)} is padding, yet counts as a class: {int(counts[pad]):,} of {total:,} labels "
        f"({int(counts[pad]) / total:.0%}).",
        f"labels[labels == {pad}] = -100  # before counting classes and weights\n"
        "loss_fn = nn.CrossEntropyLoss(ignore_index=-100)",
        moves_mix=wiring.natural_test.rejects,
    )


def _harmless(wiring: AuditContext) -> bool:
    """Whether padding that the user declared is left out by the loss, and not drawn as a class of its own."""
    if not wiring.pad_declared or wiring.loss.ignored not in wiring.pads:
        return False
    if not wiring.labels.single_label or wiring.draws is None:
        return True
    index = wiring.draws.epoch_index
    known = index[(index >= 0) & (index < len(wiring.labels))]
    return not bool((wiring.labels.values[known] == IGNORED).any())


def _filling(labels: Labels) -> tuple[int, ...]:
    """Classes that stand at the ends of items only, in items filled up to one length."""
    positions = labels.positions
    if not len(labels) or int(positions.min()) != int(positions.max()) or int(positions.max()) < 3:
        return ()
    table = labels.values.view(len(labels), -1)
    found = []
    for c, count in enumerate(labels.counts().values.tolist()):
        if count < max(FEWEST, SHARE * len(labels.values)):
            continue
        other = table != c
        times = (~other).sum(1)
        if int(times.max()) < 2 or int(times.min()) == int(times.max()):
            continue  # a mark that ends every item fills up none
        before, after = other.cumsum(1) > 0, other.flip(1).cumsum(1).flip(1) > 0
        inside = (table == c) & before & after
        if not bool(inside.any()) and bool(other.any(1).all()):
            found.append(c)
    return tuple(found)
