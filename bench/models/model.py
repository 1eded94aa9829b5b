"""What a model is here: parameters with a leading training dimension, and one forward over the whole stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Generator, Tensor

Params = dict[str, Tensor]
"""Named parameters: `(...)` for one training, `(S, ...)` for a stack of S."""

Noise = Sequence[Generator] | None
"""A generator for each training; None in an evaluation."""


@dataclass(frozen=True)
class Shape:
    """Sizes that a task gives its model; `positions` is the words of a window (1 for rows and for sentences)."""

    classes: int
    features: int = 0
    vocabulary: int = 0
    positions: int = 1
    labelled_positions: int = 1


class Model(Protocol):
    """A stacked model: one training is a stack of one.

    The embedding table is the trainer's, because its optimiser touches only the rows of a batch. A model must not let one
    training's numbers, batch or padding reach another's.

    While it trains, `noise` is a generator for each training, for what it draws (dropout); in an evaluation it is None.
    """

    @property
    def name(self) -> str:
        """What protocols call it."""
        ...

    @property
    def embedding(self) -> int | None:
        """Width of its word vectors; None where it reads numbers, or looks words up itself."""
        ...

    def init(self, shape: Shape, generator: Generator) -> Params:
        """Parameters of one training, float32, shaped as the textbook `nn.Module`'s; head.weight and head.bias come last."""
        ...

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        """What the last layer reads, `(S, B, H)`, or `(S, T, B, H)` for sentences."""
        ...

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        """Logits `(S, ..., C)`, one a label in the order of the targets; a window's labels may lie side by side, `(S, B, P C)`.

        `x` is rows `(S, B, F)`, embedded windows `(S, B, W, D)`, or embedded sentences, time first, `(S, T, B, D)`, whose
        words are where `valid (S, T, B)` holds; word ids without D where the model looks words up itself.
        """
        ...
