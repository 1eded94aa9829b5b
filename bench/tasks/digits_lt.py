"""scikit-learn's digits, long-tailed in training and validation: small, numeric, and on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.tasks.long_tail import LongTail
from bench.tasks.splitting import Ids
from bench.tasks.task_registry import register_task

CLASSES, HELD_OUT = 10, 37
"""The rarest digit has 174 items, so that 100 are left for training."""
HEAD = 100


@register_task
@dataclass(frozen=True)
class DigitsLT(LongTail):
    """8x8 images of digits, made long-tailed.

    >>> DigitsLT().counts()
    [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    >>> DigitsLT().valid_counts(), DigitsLT(valid="balanced").valid_counts()
    ([37, 23, 15, 10, 6, 4, 2, 1, 1, 1], [37, 37, 37, 37, 37, 37, 37, 37, 37, 37])
    """

    name: ClassVar[str] = "digits-lt"
    description: ClassVar[str] = (
        "scikit-learn's digits, long-tailed, test balanced (factor, valid=long-tailed|balanced)"
    )
    licence: ClassVar[str] = "CC BY 4.0"
    classes: ClassVar[int] = CLASSES
    held_out: ClassVar[int] = HELD_OUT
    head: ClassVar[int] = HEAD
    items: ClassVar[str] = "8x8 digits"

    def read(self) -> tuple[NDArray[np.float64], Ids, tuple[str, ...]]:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return x, y, tuple(map(str, range(CLASSES)))

    def scale(self, x: NDArray[np.float64], train: Ids) -> NDArray[np.float64]:
        return x / 16
