"""Several trainings as one program: their parameters, one forward, one optimiser step. One training is a stack of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from bench.models.model import Model, Params, Shape
from bench.protocol import Protocol
from bench.tasks.part import PAD

_ALIGNED = 64
"""Rows of the flat leaf hold a multiple of this many floats: every element then meets the same vector code, in any stack."""


@dataclass(frozen=True)
class Snapshot:
    """One training's parameters: its row of the leaf and, for words, its embedding table."""

    dense: Tensor
    table: Tensor | None


class Stack:
    """S trainings of one model: dense parameters in one leaf `(S, P)`, embedding tables apart."""

    def __init__(
        self, model: Model, shape: Shape, seeds: Sequence[int], protocol: Protocol, device: torch.device
    ) -> None:
        generators = [Generator().manual_seed(seed) for seed in seeds]
        self.tables = None
        if model.embedding:
            words = torch.stack([torch.randn(shape.vocabulary, model.embedding, generator=g) for g in generators])
            self.tables = RowLazyAdam(words.mul_(protocol.embedding_scale).to(device), protocol.learning_rate)
        each = [model.init(shape, generator) for generator in generators]
        self.model, self.classes, self.device = model, shape.classes, device
        self.shapes = {name: value.shape for name, value in each[0].items()}
        self.leaf = torch.stack([_flat(params) for params in each]).to(device).requires_grad_()
        self.adam = torch.optim.Adam([self.leaf], lr=protocol.learning_rate, fused=True)

    def logits(self, x: Tensor) -> Tensor:
        """Logits `(S, M, C)` of a batch `x (S, ...)`; with gradients on, also what `step` needs of it."""
        valid = None
        if self.tables is not None:
            valid = x != PAD
            x = self.tables.lookup(x)
        return self.model.forward(self._params(), x, valid).reshape(len(x), -1, self.classes)

    def step(self, losses: Tensor) -> None:
        """One step of Adam for each training by its own loss, `losses (S,)`."""
        self.adam.zero_grad()
        losses.sum().backward()
        self.adam.step()
        if self.tables is not None:
            self.tables.step()

    def snapshot(self, training: int) -> Snapshot:
        """A copy of one training's parameters."""
        table = None if self.tables is None else self.tables.weights[training].clone()
        return Snapshot(self.leaf[training].detach().clone(), table)

    @torch.no_grad()
    def restore(self, snapshots: Sequence[Snapshot]) -> None:
        """Puts every training's parameters back."""
        for training, snapshot in enumerate(snapshots):
            self.leaf[training] = snapshot.dense
            if self.tables is not None and snapshot.table is not None:
                self.tables.weights[training] = snapshot.table

    def _params(self) -> Params:
        sizes = [shape.numel() for shape in self.shapes.values()]
        pieces = self.leaf.split([*sizes, self.leaf.shape[1] - sum(sizes)], dim=1)[:-1]
        return {
            name: piece.unflatten(1, shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }


class RowLazyAdam:
    """Embedding tables `(S, V, D)` and their Adam, which moves only the rows of the batch, as torch.optim.SparseAdam does.

    A row's weights and both its moments lie side by side: one gather and one scatter a step.
    """

    def __init__(
        self, weights: Tensor, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        S, V, D = weights.shape
        self._state = weights.new_zeros(S * V, 3, D)
        self.weights = self._state[:, 0].view(S, V, D)
        self.weights.copy_(weights)
        self._first_row = torch.arange(S, device=weights.device) * V
        self._learning_rate, self._betas, self._eps = learning_rate, betas, eps
        self._steps = 0

    def lookup(self, words: Tensor) -> Tensor:
        """Embeddings `(S, ..., D)` of word ids `(S, ...)`; with gradients on, `step` will move these rows."""
        rows = words + self._first_row.view(-1, *[1] * (words.ndim - 1))
        if not torch.is_grad_enabled():
            return F.embedding(rows, self._state[:, 0])
        self._touched, place = torch.unique(rows, return_inverse=True)
        self._block = self._state.index_select(0, self._touched)
        self._leaf = self._block[:, 0].contiguous().requires_grad_()
        return F.embedding(place, self._leaf)

    def step(self) -> None:
        """Adam on the rows looked up last, from their gradient."""
        gradient, (beta1, beta2) = self._leaf.grad, self._betas
        assert gradient is not None, "step() follows backward() on a loss of the last lookup"
        self._steps += 1
        weights, mean, square = self._block.unbind(1)
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        rate = self._learning_rate * math.sqrt(1 - beta2**self._steps) / (1 - beta1**self._steps)
        weights.addcdiv_(mean, square.sqrt().add_(self._eps), value=-rate)
        self._state.index_copy_(0, self._touched, self._block)


def _flat(params: Params) -> Tensor:
    dense = torch.cat([value.flatten() for value in params.values()])
    return F.pad(dense, (0, -len(dense) % _ALIGNED))
