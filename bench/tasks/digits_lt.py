"""scikit-learn's digits, long-tailed in training and validation: small, numeric, and on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.imbalance import Imbalance
from bench.tasks.part import Rows
from bench.tasks.task import Task, TaskSpec
from bench.tasks.task_registry import register_task
from strategies import Labels

CLASSES, HELD_OUT = 10, 37
"""Classes; items per class in test, and of the most frequent class in validation. The rarest digit has 174 items, so that 100
are left for training."""
HEAD = 100
"""Training items of the most frequent class."""


@register_task
@dataclass(frozen=True)
class DigitsLT(TaskSpec):
    """8x8 images of digits; digit c has `int(100 * factor^(-c/9))` training items; test has 37 of each digit.

    Validation has the profile of training: whoever has few items of a class has few to validate on too. It has 37 items of
    digit 0 and at least one of every digit, without which no metric could tell whether the digit is ever found. With
    `valid=balanced` it has 37 of each digit: more labels of the rare ones than training has.

    The exponential profile is that of Cui et al. (2019), CVPR. Each seed splits the data differently.
    """

    name: ClassVar[str] = "digits-lt"
    description: ClassVar[str] = (
        "scikit-learn's digits, long-tailed, test balanced (factor, valid=long-tailed|balanced)"
    )
    licence: ClassVar[str] = "CC BY 4.0"

    factor: float = 50.0
    valid: Literal["long-tailed", "balanced"] = "long-tailed"

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= HEAD:
            raise InputError(
                f"digits-lt: factor must be from 1 to {HEAD}, so that every class has an item; given: {self.factor}"
            )

    def counts(self) -> list[int]:
        """Return the number of training items of each class.

        >>> DigitsLT().counts()
        [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
        """
        return self._profile(HEAD)

    def valid_counts(self) -> list[int]:
        """Return the number of validation items of each class.

        >>> DigitsLT().valid_counts(), DigitsLT(valid="balanced").valid_counts()
        ([37, 23, 15, 10, 6, 4, 2, 1, 1, 1], [37, 37, 37, 37, 37, 37, 37, 37, 37, 37])
        """
        if self.valid == "balanced":
            return [HELD_OUT] * CLASSES
        return [max(count, 1) for count in self._profile(HELD_OUT)]

    @property
    def imbalance(self) -> Imbalance:
        counts = self.counts()
        return Imbalance(sum(counts) + sum(self.valid_counts()) + CLASSES * HELD_OUT, tuple(counts))

    def _profile(self, head: int) -> list[int]:
        return [int(head * self.factor ** (-c / (CLASSES - 1)) + 1e-9) for c in range(CLASSES)]

    def load(self, rng: np.random.Generator) -> Task:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        order = rng.permutation(len(y))
        train, valid, test = [], [], []  # the indices of each class
        valid_counts = self.valid_counts()
        for digit, count in enumerate(self.counts()):
            members = order[y[order] == digit]
            valid.append(members[: valid_counts[digit]])
            test.append(members[HELD_OUT : 2 * HELD_OUT])
            train.append(members[2 * HELD_OUT : 2 * HELD_OUT + count])
        names = tuple(map(str, range(CLASSES)))

        def part(members: list[np.ndarray]) -> Rows:
            index = np.concatenate(members)
            return Rows(torch.from_numpy(x[index] / 16).float(), Labels.of(y[index], names))

        return Task(
            description=f"8x8 digits, training part long-tailed by {self.factor:g}, validation {self.valid}, test balanced",
            inputs="numbers",
            prior="balanced",
            shape=Shape(classes=CLASSES, features=x.shape[1]),
            train=part(train),
            valid=part(valid),
            test=part(test),
            fingerprint=hashlib.sha256(x.tobytes() + y.tobytes() + bytes(valid_counts)).hexdigest()[:16],
            resplit=(CLASSES * HELD_OUT, len(y) - CLASSES * HELD_OUT),
        )
