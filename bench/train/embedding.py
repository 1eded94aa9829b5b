"""Embedding tables of a stack, `(S, V, D)`, and the Adam that updates them: row-lazy, or the textbook's dense rule.

Row-lazy updates only the words of a batch, as torch.optim.SparseAdam does; the moments of other words do not decay. It is
implemented twice: on the CPU by loops over the words of the batch, elsewhere by a masked update whose shapes never change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.train import embedding_kernels as kernels
from bench.train.adam import BETAS, EPS, Rate, RowAdam


class StackedEmbeddings(ABC):
    """One embedding table per run.

    In a training step the stack calls `lookup`, sets `gradient` to the loss's gradient with respect to `leaf`, calls
    `squared_grad_norm` if gradients are clipped, then `step`.
    """

    weights: Tensor
    """`(S, V, D)`."""
    leaf: Tensor
    """The tensor that autograd differentiates with respect to, since the last lookup with gradients on."""
    gradient: Tensor
    """Gradient of a loss with respect to `leaf`: set before `squared_grad_norm` and `step`, which may change it."""

    def __init__(self, weights: Tensor) -> None:
        self._first_row = torch.arange(len(weights), device=weights.device) * weights.shape[1]

    def _row_ids(self, words: Tensor) -> Tensor:
        """Return the rows of the words `(S, ...)` in the concatenation of all tables."""
        return words + self._first_row.view(-1, *[1] * (words.ndim - 1))

    @abstractmethod
    def lookup(self, words: Tensor) -> Tensor:
        """Return the embeddings `(S, ..., D)` of word ids `(S, ...)`."""

    @abstractmethod
    def squared_grad_norm(self) -> Tensor:
        """Return the squared norm of each run's gradient `(S,)`; 0 for a table that is frozen."""

    @abstractmethod
    def step(self, scales: Tensor | None = None) -> None:
        """Take one step of Adam with the gradient of the last lookup, multiplied by `scales (S,)` per run."""

    @abstractmethod
    def set_trainable(self, row: int, trainable: bool) -> None:
        """Train or freeze one run's table from now on; its momentum begins at 0."""


def make_tables(weights: Tensor, rule: str, rates: Sequence[Rate]) -> StackedEmbeddings:
    """Return tables that start at `weights (S, V, D)`, updated by the rule "row-lazy" or "dense"."""
    if rule == "dense":
        return DenseTables(weights, rates)
    return RowLazyTables(weights, rates) if weights.device.type == "cpu" else MaskedTables(weights, rates)


class RowLazyTables(StackedEmbeddings):
    """Row-lazy on the CPU: a word's weights and its two moments are adjacent in memory, read and written once per step."""

    def __init__(self, weights: Tensor, rates: Sequence[Rate]) -> None:
        super().__init__(weights)
        S, V, D = weights.shape
        # Words of a batch are far apart in memory, so nearly each costs a TLB miss: numpy asks for huge pages, torch does not.
        self._state = torch.from_numpy(np.zeros((S, V, 3, D), dtype=weights.numpy().dtype))
        self.weights = self._state[:, :, 0]
        self.weights.copy_(weights)
        self._rates = weights.new_tensor([rate.learning_rate for rate in rates])
        self._trainable = torch.ones_like(self._rates)
        self._steps = torch.zeros(S, dtype=torch.float64)

    def lookup(self, words: Tensor) -> Tensor:
        rows = self._row_ids(words) * 3  # weights, first moment, second moment
        embedded = F.embedding(rows, self._state.view(-1, self._state.shape[3]))
        if torch.is_grad_enabled():
            self._words, self.leaf = words.flatten(1), embedded.requires_grad_()
            self._summed: tuple[Tensor, Tensor, Tensor] | None = None
        return embedded

    def squared_grad_norm(self) -> Tensor:
        return kernels.squared_norm(*self._gradient_by_word()) * self._trainable

    def step(self, scales: Tensor | None = None) -> None:
        self._steps += 1
        rates = self._rates * self._trainable * _bias_corrections(self._steps).to(self._rates.dtype)
        scales = torch.ones_like(rates) if scales is None else scales
        kernels.adam_step(self._state, self._words, *self._gradient_by_word(), rates, scales, *BETAS, EPS)

    def set_trainable(self, row: int, trainable: bool) -> None:
        self._trainable[row] = trainable
        self._state[row, :, 1:] = 0
        self._steps[row] = 0

    def _gradient_by_word(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient summed per word, and the places of the sums (see `kernels.sum_by_word`), once per lookup."""
        if self._summed is None:
            gradient = self.gradient.flatten(1, -2).contiguous()
            self._summed = gradient, *kernels.sum_by_word(self._words, gradient, self.weights.shape[1])
        return self._summed


class MaskedTables(StackedEmbeddings):
    """Row-lazy with static shapes: the step is computed for all words and applied to those that were looked up."""

    def __init__(self, weights: Tensor, rates: Sequence[Rate]) -> None:
        super().__init__(weights)
        S, V, D = weights.shape
        self.leaf = weights.flatten(0, 1).clone().requires_grad_()
        self.weights = self.leaf.detach().view(S, V, D)
        self._moments = torch.zeros_like(weights), torch.zeros_like(weights)
        self._rates = weights.new_tensor([rate.learning_rate for rate in rates]).view(S, 1, 1)
        self._trainable = torch.ones(S, 1, 1, dtype=torch.bool, device=weights.device)
        self._steps = torch.zeros(S, 1, 1, dtype=torch.float64, device=weights.device)

    def lookup(self, words: Tensor) -> Tensor:
        self._looked_up = self._row_ids(words)
        return F.embedding(self._looked_up, self.leaf)

    def squared_grad_norm(self) -> Tensor:
        return (self.gradient.view_as(self.weights).square() * self._trainable).sum((1, 2))

    @torch.no_grad()
    def step(self, scales: Tensor | None = None) -> None:
        gradient, (mean, square), (beta1, beta2) = self.gradient.view_as(self.weights), self._moments, BETAS
        if scales is not None:
            gradient = gradient * scales.view(-1, 1, 1)
        updated = torch.zeros(len(self.leaf), dtype=torch.bool, device=self.leaf.device)
        updated = updated.index_fill_(0, self._looked_up.flatten(), True).view(*mean.shape[:2], 1) & self._trainable
        self._steps += 1
        corrections = _bias_corrections(self._steps).to(gradient.dtype)
        mean.copy_(torch.where(updated, mean.lerp(gradient, 1 - beta1), mean))
        square.copy_(torch.where(updated, beta2 * square + (1 - beta2) * gradient.square(), square))
        step = self._rates * corrections * mean / (square.sqrt() + EPS)
        self.weights.sub_(torch.where(updated, step, 0))

    @torch.no_grad()
    def set_trainable(self, row: int, trainable: bool) -> None:
        self._trainable[row] = trainable
        for state in (*self._moments, self._steps):
            state[row] = 0


class DenseTables(StackedEmbeddings):
    """torch.optim.Adam on whole tables, weight decay included."""

    def __init__(self, weights: Tensor, rates: Sequence[Rate]) -> None:
        super().__init__(weights)
        S, V, D = weights.shape
        self.leaf = weights.flatten(1).clone().requires_grad_()
        self.weights = self.leaf.detach().view(S, V, D)
        self._adam = RowAdam(self.leaf, rates, slice(0, V * D))

    def lookup(self, words: Tensor) -> Tensor:
        rows = self._row_ids(words)
        return F.embedding(rows, self.leaf.view(-1, self.weights.shape[2]))

    def squared_grad_norm(self) -> Tensor:
        self._adam.gradient.copy_(self.gradient)
        return self._adam.squared_grad_norm()

    def step(self, scales: Tensor | None = None) -> None:
        self._adam.gradient.copy_(self.gradient)
        self._adam.step(scales)

    def set_trainable(self, row: int, trainable: bool) -> None:
        self._adam.set_trainable(row, slice(0, self.leaf.shape[1] if trainable else 0))


def _bias_corrections(steps: Tensor) -> Tensor:
    """Return the factors by which torch.optim.SparseAdam multiplies the learning rate at these steps."""
    return (1 - BETAS[1] ** steps).sqrt() / (1 - BETAS[0] ** steps)
