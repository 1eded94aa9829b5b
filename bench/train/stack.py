"""Several trainings as one program: their parameters, one forward, one optimiser step. One training is a stack of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from bench.models.head import cosine_head, linear_head
from bench.models.model import Model, Params, Shape
from bench.models.variant import ModelVariant
from bench.planning.protocol import Protocol
from bench.tasks.part import PAD
from bench.train.adam import Rate, RowAdam
from bench.train.embedding import make_tables
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


class StackedModel:
    """S trainings of one model: dense parameters in one leaf `(S, P)`, embedding tables apart."""

    def __init__(
        self,
        model: Model,
        shape: Shape,
        seeds: Sequence[int],
        protocols: Sequence[Protocol],
        device: torch.device,
        build: ModelVariant,
        cosine_scales: Sequence[float],
        noise: Sequence[Generator],
    ) -> None:
        generators = [Generator().manual_seed(seed) for seed in seeds]
        rates, shared = [Rate(each.learning_rate, each.weight_decay) for each in protocols], protocols[0]
        self.tables = None
        if model.embedding:
            words = torch.stack([torch.randn(shape.vocabulary, model.embedding, generator=g) for g in generators])
            self.tables = make_tables(words.mul_(shared.embedding_scale).to(device), shared.embedding_adam, rates)
        each = [model.init(shape, generator) for generator in generators]
        if build.scaled:
            each = [{**params, "head.scale": torch.ones(shape.classes)} for params in each]
        self.model, self.shape, self.classes, self.device, self.build = model, shape, shape.classes, device, build
        self.shapes = {name: value.shape for name, value in each[0].items()}
        self.leaf = torch.stack([_flat(params) for params in each]).to(device)
        self.adam = RowAdam(self.leaf, rates, self._columns("all"))
        self.params = {name: piece.requires_grad_() for name, piece in self._named(self.leaf).items()}
        """By name, `(S, ...)` each: where they lie in the leaf."""
        self._gradients = list(self._named(self.adam.gradient).values())
        self._clip_norm, self._noise = shared.clip_norm, noise
        self.draws = shared.dropout > 0 or bool(shared.model_source)
        """Whether a training step draws numbers on the host: for dropout, or for what a reader's own module does with them."""
        self._cosine_scales = torch.tensor(cosine_scales, device=device)

    def forward(self, x: Tensor, mixing: Mixing | None = None) -> Outputs:
        """Logits of a batch `x (S, ...)`; with gradients on, also what `step` needs of it."""
        valid = x != PAD if self.shape.vocabulary else None
        if self.tables is not None:
            x = self.tables.lookup(x)
        if mixing is not None:
            x, valid = _mixed(x, valid, mixing, time_first=self.tables is not None and self.shape.positions == 1)
        params, features = self.params, None
        noise = self._noise if torch.is_grad_enabled() else None
        if self.build.cosine or self.build.features:
            features = self.model.features(params, x, valid, noise)
        if features is None:
            logits = self.model.forward(params, x, valid, noise)
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
        wanted = [*self.params.values(), *([] if self.tables is None else [self.tables.leaf])]
        gradients = torch.autograd.grad(losses.sum(), wanted, materialize_grads=True)
        torch._foreach_copy_(self._gradients, gradients[: len(self._gradients)])
        if self.tables is not None:
            self.tables.gradient = gradients[-1]
        scales = self._clipping() if self._clip_norm else None
        self.adam.step(scales)
        if self.tables is not None:
            self.tables.step(scales)

    def _clipping(self) -> Tensor:
        """What shortens each training's gradient to the norm that it may have, as torch.nn.utils.clip_grad_norm_ does."""
        squares = self.adam.squares()
        if self.tables is not None:
            squares = squares + self.tables.squares()
        return (self._clip_norm / (squares.sqrt() + 1e-6)).clamp(max=1)

    @torch.no_grad()
    def enter(self, training: int, trains: Trains, new_head: int | None) -> None:
        """From now on only a part of one training's parameters moves; its last layer begins anew from a seed, if there is one."""
        self.adam.restart(training, self._columns(trains))
        if self.tables is not None:
            self.tables.let(training, move=trains == "all")
        if new_head is not None:
            fresh = self.model.init(self.shape, Generator().manual_seed(new_head))
            for name, value in self.params.items():
                if name in ("head.weight", "head.bias"):
                    value[training] = fresh[name].to(self.device)

    def freeze(self, training: int) -> None:
        """From now on one training stands still in its place."""
        self.adam.restart(training, slice(0, 0))
        if self.tables is not None:
            self.tables.let(training, move=False)

    def head(self, training: int) -> Head:
        """One training's last layer; of a window, the one that labels the word in its middle."""
        params, middle = self.params, self.shape.labelled_positions // 2
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
        return Snapshot(self.leaf[training].clone(), table)

    @torch.no_grad()
    def restore(self, snapshots: Sequence[Snapshot | None]) -> None:
        """Puts every training's parameters back; without a snapshot they stay as they are."""
        for training, snapshot in enumerate(snapshots):
            if snapshot is None:
                continue
            self.leaf[training] = snapshot.dense
            if self.tables is not None and snapshot.table is not None:
                self.tables.weights[training] = snapshot.table

    def _named(self, flat: Tensor) -> Params:
        """Rows `(S, P)` as parameters, which lie where the rows do."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        pieces = flat.split([*sizes, flat.shape[1] - sum(sizes)], dim=1)[:-1]
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


def _flat(params: Params) -> Tensor:
    dense = torch.cat([value.flatten() for value in params.values()])
    return F.pad(dense, (0, -len(dense) % _ALIGNED))
