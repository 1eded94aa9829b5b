"""Several trainings as one program: their parameters, one forward, one optimiser step. One training is a stack of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from bench.models.head import cosine_head, linear_head
from bench.models.model import Model, Params, Shape
from bench.protocol import Protocol
from bench.tasks.part import PAD
from bench.train.adam import RowAdam
from bench.train.build import Build
from strategies import Head
from strategies.strategy import Trains

_ALIGNED = 64
"""Rows of the flat leaf hold a multiple of this many floats: every element then meets the same vector code, in any stack."""


@dataclass(frozen=True)
class Snapshot:
    """One training's parameters: its row of the leaf and, for words, its embedding table."""

    dense: Tensor
    table: Tensor | None


@dataclass(frozen=True)
class Mixing:
    """Pairs within the batches of a stack: item b of training s is mixed with `partner[s, b]`; `lambda_x (S, B)` is its share."""

    partner: Tensor
    lambda_x: Tensor


@dataclass(frozen=True)
class Outputs:
    """`logits (S, M, C)`, and what the last layer read, `features (S, M, H)`, if the stack's losses ask for it."""

    logits: Tensor
    features: Tensor | None = None


class Stack:
    """S trainings of one model: dense parameters in one leaf `(S, P)`, embedding tables apart."""

    def __init__(
        self,
        model: Model,
        shape: Shape,
        seeds: Sequence[int],
        protocol: Protocol,
        device: torch.device,
        build: Build,
        cosine_scales: Sequence[float],
    ) -> None:
        generators = [Generator().manual_seed(seed) for seed in seeds]
        self.tables = None
        if model.embedding:
            words = torch.stack([torch.randn(shape.vocabulary, model.embedding, generator=g) for g in generators])
            self.tables = RowLazyAdam(words.mul_(protocol.embedding_scale).to(device), protocol.learning_rate)
        each = [model.init(shape, generator) for generator in generators]
        if build.scaled:
            each = [{**params, "head.scale": torch.ones(shape.classes)} for params in each]
        self.model, self.shape, self.classes, self.device, self.build = model, shape, shape.classes, device, build
        self.shapes = {name: value.shape for name, value in each[0].items()}
        self.leaf = torch.stack([_flat(params) for params in each]).to(device).requires_grad_()
        self.adam = RowAdam(self.leaf, protocol.learning_rate, self._columns("all"))
        self._cosine_scales = torch.tensor(cosine_scales, device=device)

    def forward(self, x: Tensor, mixing: Mixing | None = None) -> Outputs:
        """Logits of a batch `x (S, ...)`; with gradients on, also what `step` needs of it."""
        valid = x != PAD if self.shape.vocabulary else None
        if self.tables is not None:
            x = self.tables.lookup(x)
        if mixing is not None:
            x, valid = _mixed(x, valid, mixing, time_first=self.tables is not None and self.shape.positions == 1)
        params, features = self._params(), None
        if self.build.cosine or self.build.features:
            features = self.model.features(params, x, valid)
        if features is None:
            logits = self.model.forward(params, x, valid)
        elif self.build.cosine:
            logits = cosine_head(features, params, self._cosine_scales)
        else:
            logits = linear_head(features, params)
        logits = logits.reshape(len(x), -1, self.classes)
        if self.build.scaled:
            logits = logits * params["head.scale"].unsqueeze(1)
        if features is not None:  # a window's labels share what the last layer reads
            features = features.flatten(1, -2).repeat_interleave(self.shape.labelled_positions, dim=1)
        return Outputs(logits, features if self.build.features else None)

    def step(self, losses: Tensor) -> None:
        """One step of Adam for each training by its own loss, `losses (S,)`."""
        losses.sum().backward()
        self.adam.step()
        if self.tables is not None:
            self.tables.step()

    @torch.no_grad()
    def enter(self, training: int, trains: Trains, new_head: int | None) -> None:
        """From now on only a part of one training's parameters moves; its last layer begins anew from a seed, if there is one."""
        self.adam.restart(training, self._columns(trains))
        if self.tables is not None:
            self.tables.moves[training] = trains == "all"
        if new_head is not None:
            fresh = self.model.init(self.shape, Generator().manual_seed(new_head))
            for name, value in self._params().items():
                if name in ("head.weight", "head.bias"):
                    value[training] = fresh[name].to(self.device)

    def head(self, training: int) -> Head:
        """One training's last layer; of a window, the one that labels the word in its middle."""
        params, middle = self._params(), self.shape.labelled_positions // 2
        weight, bias = (params[name][training].detach().cpu() for name in ("head.weight", "head.bias"))
        if self.build.cosine:
            weight, bias = F.normalize(weight, dim=-1) * self._cosine_scales[training].cpu(), torch.zeros_like(bias)
        if self.build.scaled:
            scale = params["head.scale"][training].detach().cpu().repeat(self.shape.labelled_positions)
            weight, bias = weight * scale.unsqueeze(1), bias * scale
        rows = slice(middle * self.classes, (middle + 1) * self.classes)
        return Head(weight[rows], bias[rows])

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

    def _columns(self, trains: Trains) -> slice:
        """The columns of the leaf that move; the scale, which is 1, moves only where nothing else does."""
        ends = dict(zip(self.shapes, accumulate(shape.numel() for shape in self.shapes.values()), strict=True))
        weight, bias = ends["head.weight"] - self.shapes["head.weight"].numel(), ends["head.bias"]
        if trains == "scale":
            return slice(bias, ends["head.scale"])
        return slice(0 if trains == "all" else weight, bias)


def _mixed(x: Tensor, valid: Tensor | None, mixing: Mixing, *, time_first: bool) -> tuple[Tensor, Tensor | None]:
    """Items mixed with their partners, `x (S, B, ...)`; of sentences, `x (S, T, B, D)`, only words that both have are left."""
    row = torch.arange(len(x), device=x.device).unsqueeze(1)
    share = mixing.lambda_x.to(x.dtype)
    if not time_first:
        share = share.view(*share.shape, *[1] * (x.ndim - 2))
        return share * x + (1 - share) * x[row, mixing.partner], valid
    theirs = x.transpose(1, 2)[row, mixing.partner].transpose(1, 2)
    if valid is not None:
        valid = valid & valid.transpose(1, 2)[row, mixing.partner].transpose(1, 2)
    share = share.unsqueeze(1).unsqueeze(3)
    return share * x + (1 - share) * theirs, valid


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
        self.moves = torch.ones(S, dtype=torch.bool)
        """Whether the table of each training moves."""

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
        touched, block = self._touched, self._block
        if not self.moves.all():
            moving = self.moves.to(touched.device)[touched // self.weights.shape[1]]
            touched, block = touched[moving], block[moving]
        self._state.index_copy_(0, touched, block)


def _flat(params: Params) -> Tensor:
    dense = torch.cat([value.flatten() for value in params.values()])
    return F.pad(dense, (0, -len(dense) % _ALIGNED))
