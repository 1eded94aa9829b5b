"""The BiLSTM tagger: each word of a sentence is labelled from the state of a reader before it and of one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd.function import once_differentiable

from bench.models import lstm_cell
from bench.models.head import linear_head
from bench.models.layers import LINE, dropped, uniform
from bench.models.model import Noise, Params, Shape

DIRECTIONS = ("", "_reverse")
OF_GATES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

SHUT = -1e30
"""What a padded position adds to its input and forget gates: their sigmoids are exactly 0, so it leaves no state at all."""


@dataclass(frozen=True)
class BiLSTMTagger:
    """Huang, Xu & Yu (2015), "Bidirectional LSTM-CRF models for sequence tagging": the BI-LSTM network, one layer."""

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
        return dropped(self._read(params, x, valid, _states(params)), self.dropout, noise)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        if self.dropout and noise is not None:
            return linear_head(self.features(params, x, valid, noise), params).flatten(1, 2)
        return self._read(params, x, valid, _head(params)).flatten(1, 2)

    def _read(self, params: Params, x: Tensor, valid: Tensor | None, head: Tensor) -> Tensor:
        """What both readers together give at each word, `(S, T, B, O)`; 0 where there is none."""
        S, T, B, _ = x.shape
        valid = torch.ones(S, T, B, dtype=torch.bool, device=x.device) if valid is None else valid
        if spare := -B % LINE:
            return self._read(params, F.pad(x, (0, 0, 0, spare)), F.pad(valid, (0, spare)), head)[:, :, :B]
        gates = (params[f"rnn.{name}_l0{direction}"] for direction in DIRECTIONS for name in OF_GATES)
        read: Tensor = _Reading.apply(x, valid, head, *gates)  # type: ignore[no-untyped-call]
        return read


def _head(params: Params) -> Tensor:
    """`(2S, C, H + 1)`: what [state | 1] of either reader add to the logits."""
    before, behind = params["head.weight"].chunk(2, dim=2)
    bias = params["head.bias"].unsqueeze(2)
    return torch.cat([torch.cat([before, bias], 2), torch.cat([behind, torch.zeros_like(bias)], 2)])


def _states(params: Params) -> Tensor:
    """`(2S, 2H, H + 1)`: a head that hands on the states of both readers, side by side."""
    bias = params["head.bias"]
    S, _, H = params["rnn.weight_hh_l0"].shape
    one, none = torch.eye(H, dtype=bias.dtype, device=bias.device), bias.new_zeros(H, H)
    readers = [F.pad(torch.cat(each), (0, 1)).expand(S, -1, -1) for each in ((one, none), (none, one))]
    return torch.cat(readers)


def _gates(params: tuple[Tensor, ...]) -> Tensor:
    """`(2S, 4H, H + 2 + D)`: what [state | 1 | is padding | word], the rows of a tile, add to the gates."""
    S, _, H = params[1].shape
    weight = params[0].new_empty(2 * S, 4 * H, H + 2 + params[0].shape[2])
    for reader, (of_word, of_state, bias_ih, bias_hh) in zip(weight.chunk(2), (params[:4], params[4:]), strict=True):
        reader[..., :H] = of_state
        reader[..., H] = bias_ih + bias_hh
        reader[..., H + 2 :] = of_word
    weight[:, : 2 * H, H + 1] = SHUT
    weight[:, 2 * H :, H + 1] = 0
    return weight


def _d_params(d_weight: Tensor, H: int) -> list[Tensor]:
    """The adjoint of `_gates`."""
    readers = d_weight.chunk(2)
    return [d for each in readers for d in (each[..., H + 2 :], each[..., :H], each[..., H], each[..., H])]


def _share(x: Tensor, before: Tensor, behind: Tensor) -> None:
    """Gives `x (S, T, ...)` to both readers, `(T, S, ...)`, which meet the words in opposite orders."""
    before.copy_(x.transpose(0, 1))
    behind.copy_(x.flip(1).transpose(0, 1))


def _sum(x: Tensor) -> Tensor:
    """`(T, 2S, ...)` -> `(S, T, ...)`: the adjoint of `_share`."""
    before, behind = x.transpose(0, 1).chunk(2)
    return before + behind.flip(1)


class _Reading(torch.autograd.Function):
    """`x (S, T, B, D)`, `valid (S, T, B)`, `head (2S, C, H + 1)`, parameters of the gates -> `(S, T, B, C)`, 0 at padding.

    The two readers of each training are 2S rows, and a step of all of them is one batched product, whose tile
    `(2S, H + 2 + D, B)` holds [state left by the step before | 1 | is padding | word]; sentences lie side by side, so that
    each gate is one stretch of memory.

    Alone or in a stack, and however long a neighbour's sentences are, a training gets the same bits: a product is always
    of one step, so its shape knows neither S nor T; gradients of weights grow in place, step after step; and padding,
    which leaves no state, adds exact zeros to them. Products of many steps at once would gain nothing on a CPU: the 32 rows
    of one step keep it as busy as 256 do.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, valid: Tensor, head: Tensor, *params: Tensor) -> Tensor:
        (S, T, B, D), C, H = x.shape, head.shape[1], head.shape[2] - 1
        weight, head = _gates(params), F.pad(head, (0, 0, 0, -C % LINE))
        tiles = x.new_empty(T + 1, 2 * S, H + 2 + D, B)
        tiles[0, :, :H] = 0
        tiles[:, :, H] = 1
        padding_and_words = torch.cat([(~valid).unsqueeze(2).to(x.dtype), x.mT], 2)
        _share(padding_and_words, *tiles[:-1, :, H + 1 :].chunk(2, dim=1))
        gates = x.new_empty(T, 2 * S, 4 * H, B)
        cells = x.new_empty(T + 1, 2 * S, H, B)
        cells[0] = 0
        logits = x.new_empty(T, 2 * S, head.shape[1], B)

        step = lstm_cell.stepper(gates, cells, tiles)
        arrays = (tiles[:-1], gates, tiles[1:, :, : H + 1], logits)
        for t, (tile, ifgo, h_1, y) in enumerate(zip(*(each.unbind() for each in arrays), strict=True)):
            torch.bmm(weight, tile, out=ifgo)
            step(t)
            torch.bmm(head, h_1, out=y)
        ctx.save_for_backward(tiles, gates, cells, weight, head, valid)
        return _sum(logits[:, :, :C]).mT.masked_fill_(~valid.unsqueeze(3), 0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        tiles, gates, cells, weight, head, valid = ctx.saved_tensors
        (T, twice_S, _, B), C, H = gates.shape, d_out.shape[3], head.shape[2] - 1
        d_weight, d_head = torch.zeros_like(weight), torch.zeros_like(head)
        d_logits = head.new_zeros(T, twice_S, head.shape[1], B)
        _share(d_out.masked_fill(~valid.unsqueeze(3), 0).mT, *d_logits[:, :, :C].chunk(2, dim=1))
        d_tiles = torch.empty_like(tiles)
        d_tiles[-1, :, :H] = 0
        d_gates, d_state, d_cell = torch.empty_like(gates[0]), torch.empty_like(cells[0]), torch.zeros_like(cells[0])

        step_back = lstm_cell.slope_stepper(gates, cells, d_tiles, d_state, d_cell, d_gates)
        to_tile, to_state = weight.mT, head[..., :H].mT
        arrays = (tiles[:-1].mT, tiles[1:, :, : H + 1].mT, d_logits, d_tiles[:-1])
        steps = list(enumerate(zip(*(each.unbind() for each in arrays), strict=True)))
        for t, (tile, h_1, dy, d_tile) in reversed(steps):
            d_head.baddbmm_(dy, h_1)
            torch.bmm(to_state, dy, out=d_state)
            step_back(t)
            torch.bmm(to_tile, d_gates, out=d_tile)
            d_weight.baddbmm_(d_gates, tile)
        return _sum(d_tiles[:-1, :, H + 2 :]).mT, None, d_head[:, :C], *_d_params(d_weight, H)
