"""Guards against data leakage: held-out rows among the training rows, and strategies that write into the data."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from bench.errors import InputError
from bench.tasks.part import Pool, Rows
from bench.tasks.task import Task


def refuse_held_out_rows(pool: Pool, task: Task) -> None:
    """Raise an InputError if a row of numbers that is trained on is in validation or test too.

    This finds rows that were resampled before the split, and rows that a strategy made from data it must not see. Windows and
    sentences are not checked: short ones occur in every part of a text.
    """
    if task.inputs != "numbers" or not isinstance(pool.part, Rows):
        return
    training_rows = set(_rows(pool.part.x if pool.index is None else pool.part.x[pool.index]))
    for name, held_out in {"test": task.test, **({} if task.trains_on_valid else {"valid": task.valid})}.items():
        assert isinstance(held_out, Rows)
        rows = _rows(held_out.x)
        if shared := sum(row in training_rows for row in rows):
            raise InputError(
                f"{shared} of {len(rows)} {name} rows are trained on too, so a model can know them by heart: split before "
                "resampling, drop duplicate rows, and make synthetic rows from the training part alone"
            )


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


def _rows(x: Tensor) -> list[bytes]:
    return [row.tobytes() for row in x.numpy()]
