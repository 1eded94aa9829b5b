"""The interface of a model: parameters with a leading run dimension, and one forward pass over the whole stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Generator, Tensor

Params = dict[str, Tensor]
"""Named parameters: `(...)` of one run, `(S, ...)` of a stack of S runs."""

Noise = Sequence[Generator] | None
"""A generator per run; None in an evaluation."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a task that a model is built for.

    `features` is 0 for words, `vocabulary` 0 for numbers. `positions` is the number of words of a window (1 for rows and
    sentences), `labelled_positions` how many of them have a label.
    """

    classes: int
    features: int = 0
    vocabulary: int = 0
    positions: int = 1
    labelled_positions: int = 1


@dataclass(frozen=True)
class ModelFacts:
    """What planning and packing need to know of a model; the defaults are for a user's module."""

    step_work: float = 1.0
    """Seconds per step on a CPU under the reference protocol, relative to the window tagger."""
    stack_width: int = 5
    """Runs in a stack beyond which a CPU core gains nothing: large for short steps, which are mostly calls that a stack shares
    (docs/performance.md)."""


class Model(Protocol):
    """A stacked model; a single run is a stack of one.

    The embedding table belongs to the trainer, because its optimiser updates only the rows of a batch. Numbers, batch and
    padding of one run must not reach another run.

    In training, `noise` holds a generator per run, for dropout; in an evaluation it is None.
    """

    @property
    def name(self) -> str:
        """Its name in protocols."""
        ...

    @property
    def embedding(self) -> int | None:
        """Width of its word vectors; None if it reads numbers, or has an embedding of its own."""
        ...

    def init(self, shape: Shape, generator: Generator) -> Params:
        """Return initial parameters of one run, float32, shaped as in the textbook `nn.Module`; those of the head last."""
        ...

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        """Return the inputs of the last layer, `(S, B, H)`, or `(S, T, B, H)` for sentences."""
        ...

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        """Return logits `(S, ..., C)`, one row per label in the order of the targets, or `(S, B, P C)` for P labels per window.

        `x` is rows `(S, B, F)`, embedded windows `(S, B, W, D)`, or embedded sentences, time first, `(S, T, B, D)`, with
        padding where `valid (S, T, B)` is False; word ids, without D, if the model has an embedding of its own.
        """
        ...
