"""scikit-learn's digits with a long-tailed training part: small, numeric, and on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.part import Rows
from bench.tasks.task import Task, TaskSpec
from strategies import Labels
from strategies.notation import write

CLASSES, HELD_OUT = 10, 37
"""Classes; items per class in validation and in test. The rarest digit has 174 items, so that 100 are left for training."""
HEAD = 100
"""Training items of the most frequent class."""


@dataclass(frozen=True)
class DigitsLT(TaskSpec):
    """8x8 images of digits; digit c has `int(100 * factor^(-c/9))` training items; validation and test are balanced.

    The exponential profile is that of Cui et al. (2019), CVPR. Each seed splits the data differently.
    """

    factor: float = 50.0

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= HEAD:
            raise InputError(
                f"digits-lt: factor must be from 1 to {HEAD}, so that every class has an item; given: {self.factor}"
            )

    @property
    def label(self) -> str:
        return write("digits-lt", self)

    @property
    def kind(self) -> str:
        return "rows"

    def counts(self) -> list[int]:
        """Return the number of training items of each class.

        >>> DigitsLT().counts()
        [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
        """
        return [int(HEAD * self.factor ** (-c / (CLASSES - 1)) + 1e-9) for c in range(CLASSES)]

    def load(self, rng: np.random.Generator) -> Task:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        order = rng.permutation(len(y))
        train, valid, test = [], [], []  # the indices of each class
        for digit, count in enumerate(self.counts()):
            members = order[y[order] == digit]
            valid.append(members[:HELD_OUT])
            test.append(members[HELD_OUT : 2 * HELD_OUT])
            train.append(members[2 * HELD_OUT : 2 * HELD_OUT + count])
        names = tuple(map(str, range(CLASSES)))

        def part(members: list[np.ndarray]) -> Rows:
            index = np.concatenate(members)
            return Rows(torch.from_numpy(x[index] / 16).float(), Labels.of(y[index], names))

        return Task(
            description=f"8x8 digits, training part long-tailed by {self.factor:g}, validation and test balanced",
            inputs="numbers",
            prior="balanced",
            shape=Shape(classes=CLASSES, features=x.shape[1]),
            train=part(train),
            valid=part(valid),
            test=part(test),
            fingerprint=hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()[:16],
            resplit=(CLASSES * HELD_OUT, len(y) - CLASSES * HELD_OUT),
        )
