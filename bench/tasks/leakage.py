"""Guards against data leakage: held-out rows among those trained on, and strategies that write into the data."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from bench.errors import InputError
from bench.tasks.part import Pool, Rows
from bench.tasks.task import Task


def refuse_held_out_rows(pool: Pool, task: Task) -> None:
    """Raises an InputError if a row of numbers that is trained on stands in validation or test too.

    So rows are found that were resampled before the split, or that a strategy made of what it must not see. Windows and
    sentences are not asked: short ones stand in every part of a text.
    """
    if task.inputs != "numbers" or not isinstance(pool.part, Rows):
        return
    trained_on = set(_rows(pool.part.x if pool.index is None else pool.part.x[pool.index]))
    for name, held_out in {"test": task.test, "valid": task.valid}.items():
        assert isinstance(held_out, Rows)
        rows = _rows(held_out.x)
        if found := sum(row in trained_on for row in rows):
            raise InputError(
                f"{found} of {len(rows)} {name} rows are trained on too, so what is measured on them is memory: split before "
                "anything is drawn again, drop rows that stand there twice, and make rows of the training part alone"
            )


def changed(tasks: Iterable[Task]) -> bool:
    """Whether parts are not what they were when their task was first trained on in this process."""
    return any(task.digest_now() != task.digest for task in {id(each): each for each in tasks}.values())


def refuse_changed(tasks: Iterable[Task]) -> None:
    """Raises an InputError if a strategy wrote into the parts."""
    if changed(tasks):
        raise InputError(
            "a strategy changed the data that it was handed, so that all that is trained beside it learns from other data; "
            "return a changed copy"
        )


def _rows(x: Tensor) -> list[bytes]:
    return [row.tobytes() for row in x.numpy()]
