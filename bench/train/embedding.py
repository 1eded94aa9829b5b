"""Embedding tables of a stack, `(S, V, D)`, and the Adam that moves them: row-lazy, or the textbook's dense rule.

Row-lazy moves only the words of a batch, as torch.optim.SparseAdam does; the moments of other words do not decay. It has two
forms of one meaning: on the CPU only what a batch names is touched, elsewhere shapes never change and all else is masked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.train import embedding_kernels as row_lazy
from bench.train.adam import BETAS, EPS, Rate, RowAdam


class StackedEmbeddings(ABC):
    """What a stack asks of its tables: `lookup`, the `gradient` of their `leaf`, `squares` if it is clipped, then `step`."""

    weights: Tensor
    """`(S, V, D)`."""
    leaf: Tensor
    """What the last lookup with gradients on came from."""
    gradient: Tensor
    """Of a loss, by `leaf`: set before `squares` and `step`, which may change it."""

    def __init__(self, weights: Tensor) -> None:
        self._first_row = torch.arange(len(weights), device=weights.device) * weights.shape[1]

    def _rows_of(self, words: Tensor) -> Tensor:
        """Where the words of each training, `(S, ...)`, lie in all tables behind each other."""
        return words + self._first_row.view(-1, *[1] * (words.ndim - 1))

    @abstractmethod
    def lookup(self, words: Tensor) -> Tensor:
        """Embeddings `(S, ..., D)` of word ids `(S, ...)`."""

    @abstractmethod
    def squares(self) -> Tensor:
        """The squared length of each training's gradient `(S,)`; 0 for a table that stands still."""

    @abstractmethod
    def step(self, scales: Tensor | None = None) -> None:
        """One step along the gradient of the last lookup, `scales (S,)` times."""

    @abstractmethod
    def let(self, training: int, *, move: bool) -> None:
        """Whether one training's table moves from now on, without momentum from before."""


def make_tables(weights: Tensor, rule: str, rates: Sequence[Rate]) -> StackedEmbeddings:
    """Tables that begin at `weights (S, V, D)`, under the rule "row-lazy" or "dense"."""
    if rule == "dense":
        return DenseTables(weights, rates)
    return RowLazyTables(weights, rates) if weights.device.type == "cpu" else MaskedTables(weights, rates)


class RowLazyTables(StackedEmbeddings):
    """Row-lazy on the CPU. A word's weights and both its moments lie side by side, and are read and written once a step."""

    def __init__(self, weights: Tensor, rates: Sequence[Rate]) -> None:
        super().__init__(weights)
        S, V, D = weights.shape
        # numpy asks for huge pages where torch does not: words lie far apart, and each is a page of its own.
        self._state = torch.from_numpy(np.zeros((S, V, 3, D), dtype=weights.numpy().dtype))
        self.weights = self._state[:, :, 0]
        self.weights.copy_(weights)
        self._rates = weights.new_tensor([each.learning_rate for each in rates])
        self._moves = torch.ones_like(self._rates)
        self._steps = torch.zeros(S, dtype=torch.float64)

    def lookup(self, words: Tensor) -> Tensor:
        rows = self._rows_of(words) * 3
        found = F.embedding(rows, self._state.view(-1, self._state.shape[3]))
        if torch.is_grad_enabled():
            self._words, self.leaf = words.flatten(1), found.requires_grad_()
            self._gathered: tuple[Tensor, Tensor, Tensor] | None = None
        return found

    def squares(self) -> Tensor:
        return row_lazy.squares(*self._of_words()) * self._moves

    def step(self, scales: Tensor | None = None) -> None:
        self._steps += 1
        rates = self._rates * self._moves * _corrections(self._steps).to(self._rates.dtype)
        scales = torch.ones_like(rates) if scales is None else scales
        row_lazy.move(self._state, self._words, *self._of_words(), rates, scales, *BETAS, EPS)

    def let(self, training: int, *, move: bool) -> None:
        self._moves[training] = move
        self._state[training, :, 1:] = 0
        self._steps[training] = 0

    def _of_words(self) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient, added up for each word, and where."""
        if self._gathered is None:
            gradient = self.gradient.flatten(1, -2).contiguous()
            self._gathered = gradient, *row_lazy.gathered(self._words, gradient, self.weights.shape[1])
        return self._gathered


class MaskedTables(StackedEmbeddings):
    """Row-lazy without a shape that depends on the batch: all words take the step, and those looked up keep it."""

    def __init__(self, weights: Tensor, rates: Sequence[Rate]) -> None:
        super().__init__(weights)
        S, V, D = weights.shape
        self.leaf = weights.flatten(0, 1).clone().requires_grad_()
        self.weights = self.leaf.detach().view(S, V, D)
        self._moments = torch.zeros_like(weights), torch.zeros_like(weights)
        self._rates = weights.new_tensor([each.learning_rate for each in rates]).view(S, 1, 1)
        self._moves = torch.ones(S, 1, 1, dtype=torch.bool, device=weights.device)
        self._steps = torch.zeros(S, 1, 1, dtype=torch.float64, device=weights.device)

    def lookup(self, words: Tensor) -> Tensor:
        self._rows = self._rows_of(words)
        return F.embedding(self._rows, self.leaf)

    def squares(self) -> Tensor:
        return (self.gradient.view_as(self.weights).square() * self._moves).sum((1, 2))

    @torch.no_grad()
    def step(self, scales: Tensor | None = None) -> None:
        gradient, (mean, square), (beta1, beta2) = self.gradient.view_as(self.weights), self._moments, BETAS
        if scales is not None:
            gradient = gradient * scales.view(-1, 1, 1)
        touched = torch.zeros(len(self.leaf), dtype=torch.bool, device=self.leaf.device)
        touched = touched.index_fill_(0, self._rows.flatten(), True).view(*mean.shape[:2], 1) & self._moves
        self._steps += 1
        corrections = _corrections(self._steps).to(gradient.dtype)
        mean.copy_(torch.where(touched, mean.lerp(gradient, 1 - beta1), mean))
        square.copy_(torch.where(touched, beta2 * square + (1 - beta2) * gradient.square(), square))
        step = self._rates * corrections * mean / (square.sqrt() + EPS)
        self.weights.sub_(torch.where(touched, step, 0))

    @torch.no_grad()
    def let(self, training: int, *, move: bool) -> None:
        self._moves[training] = move
        for each in (*self._moments, self._steps):
            each[training] = 0


class DenseTables(StackedEmbeddings):
    """torch.optim.Adam on whole tables, weight decay and all."""

    def __init__(self, weights: Tensor, rates: Sequence[Rate]) -> None:
        super().__init__(weights)
        S, V, D = weights.shape
        self.leaf = weights.flatten(1).clone().requires_grad_()
        self.weights = self.leaf.detach().view(S, V, D)
        self._adam = RowAdam(self.leaf, rates, slice(0, V * D))

    def lookup(self, words: Tensor) -> Tensor:
        rows = self._rows_of(words)
        return F.embedding(rows, self.leaf.view(-1, self.weights.shape[2]))

    def squares(self) -> Tensor:
        self._adam.gradient.copy_(self.gradient)
        return self._adam.squares()

    def step(self, scales: Tensor | None = None) -> None:
        self._adam.gradient.copy_(self.gradient)
        self._adam.step(scales)

    def let(self, training: int, *, move: bool) -> None:
        self._adam.restart(training, slice(0, self.leaf.shape[1] if move else 0))


def _corrections(steps: Tensor) -> Tensor:
    """By what torch.optim.SparseAdam multiplies a learning rate at these steps."""
    return (1 - BETAS[1] ** steps).sqrt() / (1 - BETAS[0] ** steps)
