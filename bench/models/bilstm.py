"""The BiLSTM tagger: each word is labelled from the states of a forward and a backward LSTM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd.function import once_differentiable

from bench.models import lstm_cell
from bench.models.head import linear_head
from bench.models.layers import LINE, drop_features, uniform
from bench.models.model import ModelFacts, Noise, Params, Shape

DIRECTIONS = ("", "_reverse")
GATE_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

SHUT = -1e30
"""Added to the input and forget gates at padding: their sigmoids are then exactly 0, so padding leaves no state."""


@dataclass(frozen=True)
class BiLSTMTagger:
    """Huang, Xu & Yu (2015), "Bidirectional LSTM-CRF models for sequence tagging": the BI-LSTM network, one layer."""

    facts: ClassVar[ModelFacts] = ModelFacts(step_work=2.6)

    name: str = "bilstm-tagger"
    embedding: int = 50
    hidden: int = 64
    dropout: float = 0.0

    def init(self, shape: Shape, generator: Generator) -> Params:
        H, params = self.hidden, {}
        for direction in DIRECTIONS:
            params[f"rnn.weight_ih_l0{direction}"] = uniform(4 * H, self.embedding, fan_in=H, generator=generator)
            params[f"rnn.weight_hh_l0{direction}"] = uniform(4 * H, H, fan_in=H, generator=generator)
            params[f"rnn.bias_ih_l0{direction}"] = uniform(4 * H, fan_in=H, generator=generator)
            params[f"rnn.bias_hh_l0{direction}"] = uniform(4 * H, fan_in=H, generator=generator)
        params["head.weight"] = uniform(shape.classes, 2 * H, fan_in=2 * H, generator=generator)
        params["head.bias"] = uniform(shape.classes, fan_in=2 * H, generator=generator)
        return params

    def features(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        return drop_features(self._run_both(params, x, valid, _state_head(params)), self.dropout, noise)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        if self.dropout and noise is not None:
            return linear_head(self.features(params, x, valid, noise), params).flatten(1, 2)
        return self._run_both(params, x, valid, _logit_head(params)).flatten(1, 2)

    def _run_both(self, params: Params, x: Tensor, valid: Tensor | None, head: Tensor) -> Tensor:
        """Run both directions and return the sum of their head outputs at each word, `(S, T, B, O)`; 0 at padding."""
        S, T, B, _ = x.shape
        valid = torch.ones(S, T, B, dtype=torch.bool, device=x.device) if valid is None else valid
        if spare := -B % LINE:
            return self._run_both(params, F.pad(x, (0, 0, 0, spare)), F.pad(valid, (0, spare)), head)[:, :, :B]
        gates = (params[f"rnn.{name}_l0{direction}"] for direction in DIRECTIONS for name in GATE_PARAMETERS)
        out: Tensor = _BiLSTM.apply(x, valid, head, *gates)  # type: ignore[no-untyped-call]
        return out


def _logit_head(params: Params) -> Tensor:
    """Return the head `(2S, C, H + 1)` that maps [state | 1] of each direction to its share of the logits."""
    forward, backward = params["head.weight"].chunk(2, dim=2)
    bias = params["head.bias"].unsqueeze(2)
    return torch.cat([torch.cat([forward, bias], 2), torch.cat([backward, torch.zeros_like(bias)], 2)])


def _state_head(params: Params) -> Tensor:
    """Return a head `(2S, 2H, H + 1)` whose output is the concatenated states of both directions."""
    bias = params["head.bias"]
    S, _, H = params["rnn.weight_hh_l0"].shape
    one, zero = torch.eye(H, dtype=bias.dtype, device=bias.device), bias.new_zeros(H, H)
    directions = [F.pad(torch.cat(blocks), (0, 1)).expand(S, -1, -1) for blocks in ((one, zero), (zero, one))]
    return torch.cat(directions)


def _gates(params: tuple[Tensor, ...]) -> Tensor:
    """Return the weight `(2S, 4H, H + 2 + D)` that maps a tile, [state | 1 | is padding | word], to the gates."""
    S, _, H = params[1].shape
    weight = params[0].new_empty(2 * S, 4 * H, H + 2 + params[0].shape[2])
    for direction, (weight_ih, weight_hh, bias_ih, bias_hh) in zip(
        weight.chunk(2), (params[:4], params[4:]), strict=True
    ):
        direction[..., :H] = weight_hh
        direction[..., H] = bias_ih + bias_hh
        direction[..., H + 2 :] = weight_ih
    weight[:, : 2 * H, H + 1] = SHUT
    weight[:, 2 * H :, H + 1] = 0
    return weight


def _d_params(d_weight: Tensor, H: int) -> list[Tensor]:
    """The adjoint of `_gates`: gradients of the parameters from the gradient of the weight."""
    gradients: list[Tensor] = []
    for direction in d_weight.chunk(2):
        bias = direction[..., H]
        gradients += [direction[..., H + 2 :], direction[..., :H], bias, bias]
    return gradients


def _copy_to_both(x: Tensor, forward: Tensor, backward: Tensor) -> None:
    """Copy `x (S, T, ...)` into the inputs of both directions, `(T, S, ...)`, in opposite orders of time."""
    forward.copy_(x.transpose(0, 1))
    backward.copy_(x.flip(1).transpose(0, 1))


def _sum_of_both(x: Tensor) -> Tensor:
    """Sum both directions, `(T, 2S, ...)` -> `(S, T, ...)`: the adjoint of `_copy_to_both`."""
    forward, backward = x.transpose(0, 1).chunk(2)
    return forward + backward.flip(1)


class _BiLSTM(torch.autograd.Function):
    """`x (S, T, B, D)`, `valid (S, T, B)`, `head (2S, C, H + 1)`, parameters of the gates -> `(S, T, B, C)`, 0 at padding.

    The two directions of all runs are 2S rows, and a time step of all of them is one batched product with a tile
    `(2S, H + 2 + D, B)` that holds [state of the step before | 1 | is padding | word]. The sentences are the last dimension, so
    that each gate is contiguous in memory.

    A run gets the same bits alone and in a stack, however long its neighbours' sentences are: a product covers one time step,
    so its shape depends on neither S nor T; gradients of weights are accumulated in place, step by step; and padding, which
    leaves no state, adds exact zeros to them. Products of many steps at once would gain nothing on a CPU: the 32 rows of one
    step keep it as busy as 256 do.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, valid: Tensor, head: Tensor, *params: Tensor) -> Tensor:
        (S, T, B, D), C, H = x.shape, head.shape[1], head.shape[2] - 1
        weight, head = _gates(params), F.pad(head, (0, 0, 0, -C % LINE))
        tiles = x.new_empty(T + 1, 2 * S, H + 2 + D, B)
        tiles[0, :, :H] = 0
        tiles[:, :, H] = 1
        padding_and_words = torch.cat([(~valid).unsqueeze(2).to(x.dtype), x.mT], 2)
        _copy_to_both(padding_and_words, *tiles[:-1, :, H + 1 :].chunk(2, dim=1))
        gates = x.new_empty(T, 2 * S, 4 * H, B)
        cells = x.new_empty(T + 1, 2 * S, H, B)
        cells[0] = 0
        logits = x.new_empty(T, 2 * S, head.shape[1], B)

        step = lstm_cell.stepper(gates, cells, tiles)
        arrays = (tiles[:-1], gates, tiles[1:, :, : H + 1], logits)
        for t, (tile, ifgo, h_1, y) in enumerate(zip(*(array.unbind() for array in arrays), strict=True)):
            torch.bmm(weight, tile, out=ifgo)
            step(t)
            torch.bmm(head, h_1, out=y)
        ctx.save_for_backward(tiles, gates, cells, weight, head, valid)
        return _sum_of_both(logits[:, :, :C]).mT.masked_fill_(~valid.unsqueeze(3), 0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        tiles, gates, cells, weight, head, valid = ctx.saved_tensors
        (T, twice_S, _, B), C, H = gates.shape, d_out.shape[3], head.shape[2] - 1
        d_weight, d_head = torch.zeros_like(weight), torch.zeros_like(head)
        d_logits = head.new_zeros(T, twice_S, head.shape[1], B)
        _copy_to_both(d_out.masked_fill(~valid.unsqueeze(3), 0).mT, *d_logits[:, :, :C].chunk(2, dim=1))
        d_tiles = torch.empty_like(tiles)
        d_tiles[-1, :, :H] = 0
        d_gates, d_state, d_cell = torch.empty_like(gates[0]), torch.empty_like(cells[0]), torch.zeros_like(cells[0])

        step_back = lstm_cell.gradient_stepper(gates, cells, d_tiles, d_state, d_cell, d_gates)
        to_tile, to_state = weight.mT, head[..., :H].mT
        arrays = (tiles[:-1].mT, tiles[1:, :, : H + 1].mT, d_logits, d_tiles[:-1])
        steps = list(enumerate(zip(*(array.unbind() for array in arrays), strict=True)))
        for t, (tile, h_1, dy, d_tile) in reversed(steps):
            d_head.baddbmm_(dy, h_1)
            torch.bmm(to_state, dy, out=d_state)
            step_back(t)
            torch.bmm(to_tile, d_gates, out=d_tile)
            d_weight.baddbmm_(d_gates, tile)
        return _sum_of_both(d_tiles[:-1, :, H + 2 :]).mT, None, d_head[:, :C], *_d_params(d_weight, H)
