"""scikit-learn's digits with a long-tailed training part: small, numeric, and on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.part import Rows
from bench.tasks.task import Task
from strategies import Labels
from strategies.notation import write

CLASSES, EACH = 10, 37
"""Classes, and items of each in validation and in test; what is left of the rarest digit (174) makes a head of 100."""
HEAD = 100


@dataclass(frozen=True)
class DigitsLT:
    """8x8 images of digits; digit c has `int(100 * factor^(-c/9))` training items; validation and test are balanced.

    Cui et al. (2019), CVPR, for the exponential profile. The split depends on the seed.
    """

    factor: float = 50.0

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= HEAD:
            raise InputError(
                f"digits-lt: factor must be from 1 to {HEAD}, so that every class keeps an item; given: {self.factor}"
            )

    @property
    def label(self) -> str:
        return write("digits-lt", self)

    @property
    def kind(self) -> str:
        return "rows"

    def counts(self) -> list[int]:
        """Training items of each class.

        >>> DigitsLT().counts()
        [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
        """
        return [int(HEAD * self.factor ** (-c / (CLASSES - 1)) + 1e-9) for c in range(CLASSES)]

    def load(self, seed: int) -> Task:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        order = np.random.default_rng(seed).permutation(len(y))
        train, valid, test = [], [], []
        for digit, count in enumerate(self.counts()):
            members = order[y[order] == digit]
            valid.append(members[:EACH])
            test.append(members[EACH : 2 * EACH])
            train.append(members[2 * EACH : 2 * EACH + count])
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
            resplit=(CLASSES * EACH, len(y) - CLASSES * EACH),
        )
