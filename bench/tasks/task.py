"""A data set prepared for one kind of prediction: what trainings, baselines and the report read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from torch import Tensor

from bench.models.model import Shape
from bench.tasks.part import Part, tensors
from strategies.strategy import Inputs


@dataclass(frozen=True)
class Task:
    """One data set, ready to train on; classes come head first, by their counts in the training part."""

    description: str
    inputs: Inputs
    prior: Literal["natural", "balanced"]
    shape: Shape
    train: Part
    valid: Part
    test: Part
    fingerprint: str
    """A hash of the data it was prepared from."""
    baseline: Tensor | None = None
    """Predictions (L,) of the most-frequent-tag baseline on test; None where there are no words to look up."""
    notes: tuple[str, ...] = ()
    resplit: tuple[int, int] | None = None
    """Items tested on and not tested on, where each seed splits the same data anew; None where all seeds share one split."""

    @cached_property
    def digest(self) -> str:
        """A hash of the parts as they are when it is first asked for."""
        return self.digest_now()

    def digest_now(self) -> str:
        """A hash of the parts as they are."""
        found = hashlib.blake2b(digest_size=16)
        for part in (self.train, self.valid, self.test):
            for tensor in tensors(part):
                found.update(tensor.numpy().tobytes())
        return found.hexdigest()


class TaskSpec(Protocol):
    """A task as a suite names it: a frozen dataclass whose fields are its parameters."""

    @property
    def label(self) -> str:
        """Its name in tables and in what seeds are derived from."""
        ...

    @property
    def kind(self) -> str:
        """The kind of its items: windows, windows-tags, sentences, rows."""
        ...

    def load(self, seed: int) -> Task:
        """The task, split by the seed if its split depends on one."""
        ...
