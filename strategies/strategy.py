"""What a remedy is: a frozen dataclass that overrides the hooks it needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor

from strategies.draw.epochs import shuffled_epochs
from strategies.labels import ClassCounts, Labels
from strategies.loss.loss import ClassWeights, CrossEntropy, Loss
from strategies.notation import write

Inputs = Literal["tokens", "numbers"]
"""What a row of a task is made of; token ids can be drawn again, but never interpolated."""


@dataclass(frozen=True)
class Resampled:
    """A new pool: the real rows `index (M,)`, then the made rows `synthetic_x (K, F)` of the classes `synthetic_y (K,)`."""

    index: Tensor
    synthetic_x: Tensor | None = None
    synthetic_y: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index) + (0 if self.synthetic_x is None else len(self.synthetic_x))


@dataclass(frozen=True)
class Strategy:
    """A remedy with its hyper-parameters, which are its fields; without an overridden hook it is plain training.

    Strategies keep no state: randomness is handed in as a seed, and equal strategies under equal seeds do the same.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised whenever the numbers of a training change, so that old records are not taken for new ones."""
    title: ClassVar[str]
    """One line for lists: what it does."""
    folder: ClassVar[str]
    """The hook's folder: where it acts first."""

    def declines(self, labels: Labels, inputs: Inputs) -> str | None:
        """The reason why this remedy cannot be used on such items, None if it can."""
        return None

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        """The pool of rows, changed once before training: `x (N, F)`, or None for token ids; None keeps the rows as they are."""
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """How much more often than others each item is drawn, `(N,)` float64; None if items are not drawn by weight."""
        return None

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        """Which items are drawn, when: batches of indices `(batch_size,)` without end, of which a training takes `steps`.

        Take as many as you need, as with `itertools.islice(stream, steps)`. Shuffled epochs by default.
        """
        return shuffled_epochs(len(labels), batch_size=batch_size, seed=seed)

    def class_weights(self, counts: ClassCounts) -> ClassWeights | None:
        """What a label of each class counts in whatever loss is in force; None counts all alike."""
        return None

    def loss(self, counts: ClassCounts) -> Loss:
        """The loss: `loss(logits (..., C), targets (...))` is a scalar; counts `(S, C)` give a stack's, read by `Loss.rows`."""
        return CrossEntropy(self.class_weights(counts))

    @property
    def parameters(self) -> dict[str, Any]:
        """Hyper-parameters by name."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        """The label of plots and tables: the name, and every hyper-parameter that is not its default."""
        return write(self.name, self)
