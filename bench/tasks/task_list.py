"""What `imbench list tasks` says of each known task; nothing is trained or fetched for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.errors import InputError
from bench.tasks.imbalance import Imbalance
from bench.tasks.task import load_task
from bench.tasks.task_registry import KnownTask, known_tasks

HERE = "here"
LEGEND = (
    "items: of all parts; ratio: training labels of the most frequent class per label of the rarest; effective classes: the "
    "exponential of the entropy of the class shares, which is the number of classes where all are equally frequent"
)


@dataclass(frozen=True)
class TaskEntry:
    """A line of the list; sizes are None where they depend on the user's files, or where the data are not here."""

    name: str
    description: str
    licence: str
    data: str
    """`HERE`, or how to get the data."""
    items: int | None = None
    classes: int | None = None
    imbalance_ratio: float | None = None
    effective_classes: float | None = None

    def with_sizes(self, imbalance: Imbalance) -> TaskEntry:
        """Return the entry with these sizes, rounded as in the table."""
        return replace(
            self,
            items=imbalance.items,
            classes=len(imbalance.counts),
            imbalance_ratio=round(imbalance.ratio, 1),
            effective_classes=round(imbalance.effective_classes, 2),
        )


def list_tasks() -> list[TaskEntry]:
    """Return an entry for each known task; one whose sizes are not known beforehand is loaded."""
    return [_describe(name, known) for name, known in known_tasks().items()]


def _describe(name: str, known: KnownTask) -> TaskEntry:
    entry = TaskEntry(name, known.description, known.licence, HERE)
    if ":" in name:
        return replace(entry, data="your files" if known.how_to_get is None else known.how_to_get() or HERE)
    spec = known.build(name, None)
    entry = replace(entry, data=spec.how_to_get or HERE)
    try:
        imbalance = spec.imbalance
        if imbalance is None and not spec.how_to_get:
            imbalance = load_task(spec, np.random.default_rng(0)).imbalance
    except InputError as error:
        return replace(entry, data=str(error))
    return entry if imbalance is None else entry.with_sizes(imbalance)
