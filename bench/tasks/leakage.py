"""Guards against data leakage: held-out rows among the training rows, and strategies that write into the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from bench.tasks.part import Part, Pool, Rows
from bench.tasks.row_arrays import hash_rows
from bench.tasks.task import Task

MOST_SHARED = 0.1
"""Share of held-out rows that may equal rows of another part. In published tables it is small: .016 in a random split of
online_shoppers_intention. Oversampling before the split brings it to .28 where classes are 1.2 to 1, and to .5 at 10 to 1."""


def refuse_held_out_rows(pool: Pool, task: Task) -> None:
    """Raise an InputError if many held-out rows of numbers are in another part too, or one that a strategy brought in.

    This finds rows that were resampled before the split, and rows that a strategy made from data it must not see. Windows and
    sentences are not checked here: short ones occur in every part of a text.
    """
    if task.inputs != "numbers" or not isinstance(pool.part, Rows):
        return
    # Where validation is trained on by design, the baseline's own task is checked.
    is_checked = not (task.trains_on_valid or task.may_share_rows)
    for name, other, shared, total in _count_shared(task) if is_checked else ():
        if shared > MOST_SHARED * total:
            raise InputError(
                f"{shared:,} of {total:,} {name} rows are in {other} too, more than {MOST_SHARED:.0%}, so a model can know them "
                "by heart: split before resampling, and keep equal rows in one part, or drop them"
            )
    if pool.part is task.train:  # a strategy that repeats and leaves out training rows brings none in
        return
    pooled = pool.part.x if pool.index is None else pool.part.x[pool.index]
    brought = np.setdiff1d(hash_rows(pooled.numpy()), _hashes(task.train))
    for name, part in {"test": task.test, "valid": task.valid}.items():
        if shared := int(np.isin(_hashes(part), brought).sum()):
            raise InputError(
                f"{shared:,} of {len(part.labels):,} {name} rows are trained on too, so a model can know them by heart: "
                "make synthetic rows from the training part alone"
            )


def note_shared_rows(task: Task) -> list[str]:
    """Return a note for each two parts that share rows of numbers."""
    if task.inputs != "numbers":
        return []
    return [
        f"{shared:,} of {total:,} {name} rows ({shared / total:.1%}) are in {other} too: a model can know them by heart"
        for name, other, shared, total in _count_shared(task)
        if shared
    ]


def _count_shared(task: Task) -> Iterator[tuple[str, str, int, int]]:
    """Yield (part, other part, rows of the first that are in the second, rows of the first)."""
    hashes = {name: _hashes(part) for name, part in (("train", task.train), ("valid", task.valid), ("test", task.test))}
    for name, other in (("test", "train"), ("valid", "train"), ("test", "valid")):
        if (name, other) == ("valid", "train") and task.trains_on_valid:
            continue
        yield name, other, int(np.isin(hashes[name], hashes[other]).sum()), len(hashes[name])


def is_changed(tasks: Iterable[Task]) -> bool:
    """Return whether a part differs from what it was when its task was first trained on in this process."""
    return any(task.compute_digest() != task.digest for task in {id(task): task for task in tasks}.values())


def refuse_changed(tasks: Iterable[Task]) -> None:
    """Raise an InputError if a strategy wrote into the parts."""
    if is_changed(tasks):
        raise InputError(
            "a strategy changed the data that it was given, so that the other runs of its stack learn from different data; "
            "return a changed copy"
        )


def _hashes(part: Part) -> NDArray[np.uint64]:
    """Return a hash of each row; of 20 million rows, two that differ have the same one with a probability of 1 in 90,000."""
    assert isinstance(part, Rows)
    return hash_rows(part.x.numpy())
