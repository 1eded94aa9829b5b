"""Guards against data leakage: held-out rows among the training rows, and strategies that write into the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor

from bench.errors import InputError
from bench.tasks.part import Part, Pool, Rows
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
    given = set(_rows(task.train))
    brought = set(_rows_of(pool.part.x if pool.index is None else pool.part.x[pool.index])) - given
    for name, part in {"test": task.test, "valid": task.valid}.items():
        if shared := sum(row in brought for row in _rows(part)):
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
    rows = {name: _rows(part) for name, part in (("train", task.train), ("valid", task.valid), ("test", task.test))}
    for name, other in (("test", "train"), ("valid", "train"), ("test", "valid")):
        if (name, other) == ("valid", "train") and task.trains_on_valid:
            continue
        known = set(rows[other])
        yield name, other, sum(row in known for row in rows[name]), len(rows[name])


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


def _rows(part: Part) -> list[bytes]:
    assert isinstance(part, Rows)
    return _rows_of(part.x)


def _rows_of(x: Tensor) -> list[bytes]:
    return [row.tobytes() for row in (x + 0.0).numpy()]  # -0.0 becomes 0.0, which has other bytes
