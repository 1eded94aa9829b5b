"""Balanced data of many classes made long-tailed: in training and in validation, with a balanced test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.imbalance import Imbalance
from bench.tasks.part import Rows
from bench.tasks.splitting import Ids, Split
from bench.tasks.task import Task, TaskSpec
from strategies import Labels


@dataclass(frozen=True)
class LongTail(TaskSpec):
    """Of C classes, class c has `int(head * factor^(-c/(C-1)))` training items; test has `held_out` of each class.

    Validation has the profile of training: whoever has few items of a class has few to validate on too. It has `held_out`
    items of the first class and at least one of every class, without which no metric could tell whether a class is ever found.
    With `valid=balanced` it has `held_out` of each class: more labels of the rare ones than training has.

    The exponential profile is that of Cui et al. (2019), CVPR. Each seed splits the data differently.
    """

    classes: ClassVar[int]
    held_out: ClassVar[int]
    """Items per class in test, and of the most frequent class in validation."""
    head: ClassVar[int]
    """Training items of the most frequent class."""
    items: ClassVar[str]
    """What the rows are, for the report."""

    factor: float = 50.0
    valid: Literal["long-tailed", "balanced"] = "long-tailed"

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= self.head:
            raise InputError(
                f"{self.name}: factor must be from 1 to {self.head}, so that every class has an item; given: {self.factor}"
            )

    def counts(self) -> list[int]:
        """Return the number of training items of each class."""
        return self._profile(self.head)

    def valid_counts(self) -> list[int]:
        """Return the number of validation items of each class."""
        if self.valid == "balanced":
            return [self.held_out] * self.classes
        return [max(count, 1) for count in self._profile(self.held_out)]

    @property
    def imbalance(self) -> Imbalance:
        counts = self.counts()
        return Imbalance(sum(counts) + sum(self.valid_counts()) + self.classes * self.held_out, tuple(counts))

    def _profile(self, head: int) -> list[int]:
        return [int(head * self.factor ** (-c / (self.classes - 1)) + 1e-9) for c in range(self.classes)]

    def read(self) -> tuple[NDArray[np.float64], Ids, tuple[str, ...]]:
        """Return all rows (N, F), their class ids (N,) and the names of the classes, the first of which becomes the head."""
        raise NotImplementedError

    def scale(self, x: NDArray[np.float64], train: Ids) -> NDArray[np.float64]:
        """Return the rows (N, F) as a model reads them; `train` are the numbers of the training rows."""
        raise NotImplementedError

    def load(self, rng: np.random.Generator) -> Task:
        x, y, names = self.read()
        order = rng.permutation(len(y))
        train, valid, test = [], [], []  # the numbers of each class
        valid_counts = self.valid_counts()
        for class_id, count in enumerate(self.counts()):
            members = order[y[order] == class_id]
            valid.append(members[: valid_counts[class_id]])
            test.append(members[self.held_out : 2 * self.held_out])
            train.append(members[2 * self.held_out : 2 * self.held_out + count])
        scaled = self.scale(x, np.concatenate(train))

        rows = Split(*map(np.concatenate, (train, valid, test)))

        def part(index: Ids) -> Rows:
            return Rows(torch.from_numpy(scaled[index]).float(), Labels.of(y[index], names))

        return Task(
            description=f"{self.items}, training part long-tailed by {self.factor:g}, validation {self.valid}, test balanced",
            inputs="numbers",
            prior="balanced",
            shape=Shape(classes=self.classes, features=x.shape[1]),
            train=part(rows.train),
            valid=part(rows.valid),
            test=part(rows.test),
            fingerprint=hashlib.sha256(x.tobytes() + y.tobytes() + bytes(valid_counts)).hexdigest()[:16],
            resplit=(self.classes * self.held_out, len(y) - self.classes * self.held_out),
            rows=rows,
        )
