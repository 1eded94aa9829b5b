"""Seeds derived by hashing what they are for, and the random generator of a task's split."""

from __future__ import annotations

import hashlib

import numpy as np


def sub_seed(*axes: str | int) -> int:
    """Return a seed for exactly these axes, below 2^63: sub_seed("init", "digits-lt", 3).

    Hashing keeps streams independent that `seed + i` would make overlap.

    >>> sub_seed("init", "digits-lt", 3) == sub_seed("init", "digits-lt", 3) != sub_seed("split", "digits-lt", 3)
    True
    """
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, axes)).encode()).digest()[:8], "big") >> 1


def split_generator(task: str, seed: int) -> np.random.Generator:
    """Return the generator that `TaskSpec.load` takes: it depends on the task's label and the seed, never on the strategy."""
    return np.random.default_rng(sub_seed("split", task, seed))
