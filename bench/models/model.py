"""What a model is here: parameters with a leading training dimension, and one forward over the whole stack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

Params = dict[str, Tensor]
"""Named parameters: `(...)` for one training, `(S, ...)` for a stack of S."""

LINE = 16
"""Batches are whole multiples of it inside a model. MKL rounds by where a matrix lies: only if every training's matrices
begin on a 64-byte line does a training give the same bits alone and in a stack."""


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
    """

    @property
    def name(self) -> str:
        """What protocols call it."""
        ...

    @property
    def embedding(self) -> int | None:
        """Width of its word vectors; None for numeric inputs."""
        ...

    def init(self, shape: Shape, generator: Generator) -> Params:
        """Parameters of one training, float32, shaped as the textbook `nn.Module`'s; head.weight and head.bias come last."""
        ...

    def features(self, params: Params, x: Tensor, valid: Tensor | None) -> Tensor:
        """What the last layer reads, `(S, B, H)`, or `(S, T, B, H)` for sentences."""
        ...

    def forward(self, params: Params, x: Tensor, valid: Tensor | None) -> Tensor:
        """Logits `(S, ..., C)`, one a label in the order of the targets; a window's labels may lie side by side, `(S, B, P C)`.

        `x` is rows `(S, B, F)`, embedded windows `(S, B, W, D)`, or embedded sentences, time first, `(S, T, B, D)`, whose
        words are where `valid (S, T, B)` holds.
        """
        ...


def uniform(*shape: int, fan_in: int, generator: Generator) -> Tensor:
    """`U(-1/sqrt(fan_in), 1/sqrt(fan_in))`: the default of `nn.Linear` and, with the hidden size, of `nn.LSTM`."""
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(*shape).uniform_(-bound, bound, generator=generator)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`x (S, B, I)`, `weight (S, O, I)`, `bias (S, O)` -> `(S, B, O)`: nn.Linear, row by row of the stack."""
    B = x.shape[1]
    if spare := -B % LINE:
        return linear(F.pad(x, (0, 0, 0, spare)), weight, bias)[:, :B]
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
