"""The models of a stack as one model: parameters with a leading run dimension, one forward pass, one optimiser step."""

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
"""Rows of the leaf are padded to a multiple of this many floats, the widest SIMD loop of torch's kernels.

What is left over after whole vectors goes through a scalar loop that rounds differently. With padded rows, a run's
parameters fall into whole vectors in any stack, so that its numbers do not depend on its place in the stack.
"""


@dataclass(frozen=True)
class Snapshot:
    """A copy of one run's parameters: its row of the leaf and, for words, its embedding table."""

    dense: Tensor
    table: Tensor | None


@dataclass(frozen=True)
class Mixing:
    """Pairs within the batches of a stack: item b of run s is mixed with item `partner[s, b]`; `lambda_x (S, B)` is its share."""

    partner: Tensor
    lambda_x: Tensor


@dataclass(frozen=True)
class Outputs:
    """`logits (S, M, C)` and, if the losses of the stack need them, the last layer's inputs, `features (S, M, H)`."""

    logits: Tensor
    features: Tensor | None = None


class StackedModel:
    """The models of S runs: all dense parameters in one tensor, `leaf (S, P)`, and the embedding tables apart.

    `seeds` and `noise` hold a seed for the initial weights and a generator for dropout per run. The runs share all fields of
    their protocols but learning rate and weight decay.
    """

    def __init__(
        self,
        model: Model,
        shape: Shape,
        seeds: Sequence[int],
        protocols: Sequence[Protocol],
        device: torch.device,
        variant: ModelVariant,
        cosine_scales: Sequence[float],
        noise: Sequence[Generator],
    ) -> None:
        generators = [Generator().manual_seed(seed) for seed in seeds]
        rates, shared = [Rate(own.learning_rate, own.weight_decay) for own in protocols], protocols[0]
        self.tables = None
        if model.embedding:
            words = torch.stack([torch.randn(shape.vocabulary, model.embedding, generator=g) for g in generators])
            self.tables = make_tables(words.mul_(shared.embedding_scale).to(device), shared.embedding_adam, rates)
        initial = [model.init(shape, generator) for generator in generators]
        if variant.scaled:
            initial = [{**params, "head.scale": torch.ones(shape.classes)} for params in initial]
        self.model, self.shape, self.classes, self.device, self.variant = model, shape, shape.classes, device, variant
        self.shapes = {name: value.shape for name, value in initial[0].items()}
        self.leaf = torch.stack([_flatten(params) for params in initial]).to(device)
        self.adam = RowAdam(self.leaf, rates, self._columns("all"))
        self.params = {name: view.requires_grad_() for name, view in self._views_by_name(self.leaf).items()}
        """Parameters by name, `(S, ...)` each: views of the leaf."""
        self._gradients = list(self._views_by_name(self.adam.gradient).values())
        self._clip_norm, self._noise = shared.clip_norm, noise
        self.uses_host_rng = shared.dropout > 0 or bool(shared.model_source)
        """Whether a training step uses random numbers from the host: for dropout, or in a user's module."""
        self._cosine_scales = torch.tensor(cosine_scales, device=device)

    def forward(self, x: Tensor, mixing: Mixing | None = None) -> Outputs:
        """Return the logits of a batch `x (S, ...)`; with gradients on, `step` can follow."""
        valid = x != PAD if self.shape.vocabulary else None
        if self.tables is not None:
            x = self.tables.lookup(x)
        if mixing is not None:
            x, valid = _mix_items(x, valid, mixing, time_first=self.tables is not None and self.shape.positions == 1)
        params, features = self.params, None
        noise = self._noise if torch.is_grad_enabled() else None
        if self.variant.cosine or self.variant.features:
            features = self.model.features(params, x, valid, noise)
        if features is None:
            logits = self.model.forward(params, x, valid, noise)
        elif self.variant.cosine:
            logits = cosine_head(features, params, self._cosine_scales)
        else:
            logits = linear_head(features, params)
        logits = logits.reshape(len(x), -1, self.classes)
        if self.variant.scaled:
            logits = logits * params["head.scale"].unsqueeze(1)
        if features is not None:  # all labels of a window are predicted from the same features
            features = features.flatten(1, -2).repeat_interleave(self.shape.labelled_positions, dim=1)
        return Outputs(logits, features if self.variant.features else None)

    def step(self, losses: Tensor) -> None:
        """Take one step of Adam for each run with the gradient of its own loss, `losses (S,)`."""
        # A run's parameters appear in its own loss alone, so the sum's gradient holds the gradient of each.
        inputs = [*self.params.values(), *([] if self.tables is None else [self.tables.leaf])]
        gradients = torch.autograd.grad(losses.sum(), inputs, materialize_grads=True)
        torch._foreach_copy_(self._gradients, gradients[: len(self._gradients)])
        if self.tables is not None:
            self.tables.gradient = gradients[-1]
        scales = self._clip_scales() if self._clip_norm else None
        self.adam.step(scales)
        if self.tables is not None:
            self.tables.step(scales)

    def _clip_scales(self) -> Tensor:
        """Return the factors `(S,)` that clip each run's gradient to its largest norm, as torch.nn.utils.clip_grad_norm_ does."""
        squared_norm = self.adam.squared_grad_norm()
        if self.tables is not None:
            squared_norm = squared_norm + self.tables.squared_grad_norm()
        return (self._clip_norm / (squared_norm.sqrt() + 1e-6)).clamp(max=1)

    @torch.no_grad()
    def start_phase(self, row: int, trains: Trains, new_head_seed: int | None) -> None:
        """Train only a part of one run's parameters from now on; re-initialise its last layer if a seed is given."""
        self.adam.set_trainable(row, self._columns(trains))
        if self.tables is not None:
            self.tables.set_trainable(row, trains == "all")
        if new_head_seed is not None:
            fresh = self.model.init(self.shape, Generator().manual_seed(new_head_seed))
            for name, value in self.params.items():
                if name in ("head.weight", "head.bias"):
                    value[row] = fresh[name].to(self.device)

    def freeze(self, row: int) -> None:
        """Stop training one run; it keeps its place in the stack."""
        self.adam.set_trainable(row, slice(0, 0))
        if self.tables is not None:
            self.tables.set_trainable(row, False)

    def head(self, row: int) -> Head:
        """Return one run's last layer; of a window with several labels, the part that labels the middle word."""
        params, middle = self.params, self.shape.labelled_positions // 2
        weight, bias = (params[name][row].detach().cpu() for name in ("head.weight", "head.bias"))
        if self.variant.cosine:
            weight, bias = F.normalize(weight, dim=-1) * self._cosine_scales[row].cpu(), torch.zeros_like(bias)
        if self.variant.scaled:
            scale = params["head.scale"][row].detach().cpu().repeat(self.shape.labelled_positions)
            weight, bias = weight * scale.unsqueeze(1), bias * scale
        of_middle = slice(middle * self.classes, (middle + 1) * self.classes)
        return Head(weight[of_middle], bias[of_middle])

    def snapshot(self, row: int) -> Snapshot:
        """Copy one run's parameters."""
        table = None if self.tables is None else self.tables.weights[row].clone()
        return Snapshot(self.leaf[row].clone(), table)

    @torch.no_grad()
    def restore(self, snapshots: Sequence[Snapshot | None]) -> None:
        """Set the parameters of every run to its snapshot; a run without one keeps what it has."""
        for row, snapshot in enumerate(snapshots):
            if snapshot is None:
                continue
            self.leaf[row] = snapshot.dense
            if self.tables is not None and snapshot.table is not None:
                self.tables.weights[row] = snapshot.table

    def _views_by_name(self, flat: Tensor) -> Params:
        """Return views of `flat (S, P)` shaped as the parameters; the padding at its end is left out."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        pieces = flat.split([*sizes, flat.shape[1] - sum(sizes)], dim=1)[:-1]
        return {
            name: piece.unflatten(1, shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }

    def _columns(self, trains: Trains) -> slice:
        """Return the columns of the leaf that are trained; the head's scale stays 1 unless it alone is trained."""
        ends = dict(zip(self.shapes, accumulate(shape.numel() for shape in self.shapes.values()), strict=True))
        weight, bias = ends["head.weight"] - self.shapes["head.weight"].numel(), ends["head.bias"]
        if trains == "scale":
            return slice(bias, ends["head.scale"])
        return slice(0 if trains == "all" else weight, bias)


def _mix_items(x: Tensor, valid: Tensor | None, mixing: Mixing, *, time_first: bool) -> tuple[Tensor, Tensor | None]:
    """Mix items with their partners, `x (S, B, ...)`; of sentences, `x (S, T, B, D)`, only words that both have stay valid."""
    run = torch.arange(len(x), device=x.device).unsqueeze(1)
    share = mixing.lambda_x.to(x.dtype)
    if not time_first:
        share = share.view(*share.shape, *[1] * (x.ndim - 2))
        return share * x + (1 - share) * x[run, mixing.partner], valid
    partners = x.transpose(1, 2)[run, mixing.partner].transpose(1, 2)
    if valid is not None:
        valid = valid & valid.transpose(1, 2)[run, mixing.partner].transpose(1, 2)
    share = share.unsqueeze(1).unsqueeze(3)
    return share * x + (1 - share) * partners, valid


def _flatten(params: Params) -> Tensor:
    """Return one run's parameters as one row `(P,)`, padded with zeros to whole vectors (see `_ALIGNED`)."""
    dense = torch.cat([value.flatten() for value in params.values()])
    return F.pad(dense, (0, -len(dense) % _ALIGNED))
