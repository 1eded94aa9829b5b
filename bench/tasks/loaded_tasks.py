"""The tasks that a process has loaded: runs of the same seed share one, as far as memory allows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from bench.tasks.part import tensors
from bench.tasks.task import Task

MOST_BYTES = 256_000_000
"""Of all tasks that are kept; the last one is always kept."""

_kept: OrderedDict[Hashable, Task] = OrderedDict()


def load_once(key: Hashable, load: Callable[[], Task]) -> Task:
    """Return the task that was loaded under this key, or load it and keep it; those that were used longest ago are let go."""
    try:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    except TypeError:  # the fields of somebody's task cannot be hashed
        return load()
    task = _kept[key] = load()
    while len(_kept) > 1 and sum(map(_count_bytes, _kept.values())) > MOST_BYTES:
        _kept.popitem(last=False)
    return task


def forget_loaded_tasks() -> None:
    """Load every task again when it is next asked for."""
    _kept.clear()


def _count_bytes(task: Task) -> int:
    parts = (task.train, task.valid, task.test)
    return sum(tensor.nbytes for part in parts for tensor in tensors(part))
