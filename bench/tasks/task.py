"""A task: a data set prepared for one kind of prediction; and its specification, which a suite names and a run carries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.part import Part, join_parts, tensors
from strategies.strategy import Inputs


class MissingData(InputError):  # noqa: N818  (the data is missing, the user made no error)
    """The data set is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Task:
    """One data set, ready to train on; classes are ordered by their counts in the training part, the most frequent first."""

    description: str
    inputs: Inputs
    prior: Literal["natural", "balanced"]
    """Class mix of test: as in the source, or equal."""
    shape: Shape
    train: Part
    valid: Part
    test: Part
    fingerprint: str
    """A hash of the data it was prepared from."""
    baseline: Tensor | None = None
    """Class ids (L,) that the most-frequent-tag baseline predicts on test; None where there are no words to look up."""
    notes: tuple[str, ...] = ()
    """What a user of the results should know about the data."""
    resplit: tuple[int, int] | None = None
    """Numbers of test items and of all other items, where each seed splits the same data differently; None where all seeds
    share one split. Without it, intervals of a task that splits by the seed are too narrow."""
    trains_on_valid: bool = False
    """Whether the validation part is in the training part too, so that nothing may be chosen on it."""

    @cached_property
    def with_validation_added(self) -> Task:
        """The task with its validation part in its training part too: one object, which the runs of a stack share."""
        return replace(self, train=join_parts(self.train, self.valid), trains_on_valid=True)

    @property
    def target_prior(self) -> Tensor:
        """Shares (C,) of the classes in the data to predict, as far as they are known without a look at test: equal where test
        is balanced by design, else those of validation."""
        classes = self.train.labels.num_classes
        if self.prior == "balanced":
            return torch.full((classes,), 1 / classes, dtype=torch.float64)
        counts = self.valid_counts.double()
        return counts / counts.sum()

    @property
    def valid_counts(self) -> Tensor:
        """Labels (C,) of each class that validation is scored on."""
        return torch.bincount(self.valid.truth, minlength=self.train.labels.num_classes)

    def note_absent_classes(self) -> Iterator[str]:
        """Yield a note on each held-out part that lacks classes."""
        names = self.train.labels.class_names
        for part, truth, consequence in (
            ("validation", self.valid.truth, "nothing can be tuned for them"),
            ("test", self.test.truth, "nothing is measured on them"),
        ):
            counts = torch.bincount(truth, minlength=len(names)).tolist()
            if absent := [name for name, count in zip(names, counts, strict=True) if not count]:
                yield f"no item of {', '.join(absent)} in {part}: {consequence}"

    @cached_property
    def digest(self) -> str:
        """A hash of the parts as they were when it was first asked for."""
        return self.compute_digest()

    def compute_digest(self) -> str:
        """Hash the parts as they are now."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.train, self.valid, self.test):
            for tensor in tensors(part):
                digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Substitute:
    """The task that replaces one whose data are missing, and the note that the report prints about it."""

    task: TaskSpec
    note: str


class TaskSpec(Protocol):
    """A task as a suite names it: a frozen dataclass that inherits from this class; its fields are the task's parameters.

    It is sent to worker processes, which load the task themselves. A subclass defines `label`, `kind` and `load`.

    Examples
    --------
    Split the same data differently under each seed, with scikit-learn, which takes no numpy Generator but a seed of 32 bits::

        @dataclass(frozen=True)
        class Wine(TaskSpec):
            label: ClassVar[str] = "wine"
            kind: ClassVar[str] = "rows"

            def load(self, rng: numpy.random.Generator) -> Task:
                x, y = load_wine(return_X_y=True)
                seed = int(rng.integers(2**32))
                x_train, x_rest, y_train, y_rest = train_test_split(x, y, stratify=y, random_state=seed)
                ...
    """

    @property
    def label(self) -> str:
        """Its name in tables, from which seeds are derived too; two tasks of a suite cannot have the same."""
        ...

    @property
    def kind(self) -> str:
        """The kind of its items, which decides the reference protocol: windows, windows-tags, sentences or rows."""
        ...

    def load(self, rng: np.random.Generator) -> Task:
        """Load and prepare the data.

        Parameters
        ----------
        rng
            The source of all randomness of the split; the same state must give the same task. It depends on the label and on
            the run's seed, so all strategies get the same split. A task with a fixed split ignores it.

        Raises
        ------
        MissingData
            If the data are not on this machine.
        InputError
            If the data cannot be read, or cannot be a task.
        """
        ...

    @property
    def data_location(self) -> str:
        """Where the user's files are, if the same label can mean different files; empty where the label determines the data."""
        return ""

    @property
    def substitute(self) -> Substitute | None:
        """What to run if `load` raises MissingData; None to stop with that error."""
        return None
