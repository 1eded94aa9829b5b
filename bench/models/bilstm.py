"""The BiLSTM tagger: each word of a sentence is labelled from the state of a reader before it and of one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd.function import once_differentiable

from bench.models.head import linear_head
from bench.models.layers import LINE, dropped, uniform
from bench.models.model import Noise, Params, Shape

DIRECTIONS = ("", "_reverse")

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
        states = self._read(params, x, valid, _states(params))[..., : 2 * self.hidden]
        return dropped(states, self.dropout, noise)

    def forward(self, params: Params, x: Tensor, valid: Tensor | None, noise: Noise = None) -> Tensor:
        if self.dropout and noise is not None:
            return linear_head(self.features(params, x, valid, noise), params).flatten(1, 2)
        classes = params["head.bias"].shape[1]
        return self._read(params, x, valid, _head(params))[..., :classes].flatten(1, 2)

    def _read(self, params: Params, x: Tensor, valid: Tensor | None, head: Tensor) -> Tensor:
        """What both readers together give at each word, `(S, T, B, O)`; 0 where there is none."""
        S, T, B, _ = x.shape
        valid = torch.ones(S, T, B, dtype=torch.bool, device=x.device) if valid is None else valid
        if spare := -B % LINE:
            return self._read(params, F.pad(x, (0, 0, 0, spare)), F.pad(valid, (0, spare)), head)[:, :, :B]
        weight = torch.cat([_gates(params, direction) for direction in DIRECTIONS])
        read: Tensor = _Reading.apply(x, valid, weight, head)  # type: ignore[no-untyped-call]
        return read.masked_fill(~valid.unsqueeze(3), 0)


def _gates(params: Params, direction: str) -> Tensor:
    """`(S, 4H, H + 2 + D)`: what [state | 1 | is padding | word], the columns of a step, add to the gates."""
    bias = params[f"rnn.bias_ih_l0{direction}"] + params[f"rnn.bias_hh_l0{direction}"]
    shut = torch.zeros_like(bias)
    shut[:, : bias.shape[1] // 2] = SHUT
    state, word = params[f"rnn.weight_hh_l0{direction}"], params[f"rnn.weight_ih_l0{direction}"]
    return torch.cat([state, bias.unsqueeze(2), shut.unsqueeze(2), word], 2)


def _head(params: Params) -> Tensor:
    """`(2S, C, H + 1)`: what [state | 1] of either reader add to the logits; C in whole lines."""
    before, behind = params["head.weight"].chunk(2, dim=2)
    bias = params["head.bias"].unsqueeze(2)
    head = torch.cat([torch.cat([before, bias], 2), torch.cat([behind, torch.zeros_like(bias)], 2)])
    return F.pad(head, (0, 0, 0, -head.shape[1] % LINE))


def _states(params: Params) -> Tensor:
    """`(2S, 2H, H + 1)`: a head that hands on the states of both readers, side by side."""
    S, _, H = params["rnn.weight_hh_l0"].shape
    one, none = torch.eye(H, device=params["head.bias"].device), torch.zeros(H, H, device=params["head.bias"].device)
    readers = [
        F.pad(torch.cat(each), (0, 1, 0, -2 * H % LINE)).expand(S, -1, -1) for each in ((one, none), (none, one))
    ]
    return torch.cat(readers)


def _both(x: Tensor) -> Tensor:
    """`(S, T, ...)` -> `(T, 2S, ...)`: in the order of the reader before each word, then of the one behind it."""
    return torch.cat([x, x.flip(1)]).transpose(0, 1)


def _sum(x: Tensor) -> Tensor:
    """`(T, 2S, ...)` -> `(S, T, ...)`: the adjoint of `_both`."""
    before, behind = x.transpose(0, 1).chunk(2)
    return before + behind.flip(1)


class _Reading(torch.autograd.Function):
    """`x (S, T, B, D)`, `valid (S, T, B)`, `weight (2S, 4H, H + 2 + D)`, `head (2S, C, H + 1)` -> `(S, T, B, C)`.

    The two readers of each training are 2S rows, and a step of all of them is one batched product, whose tile
    `(2S, B, H + 2 + D)` holds [state left by the step before | 1 | is padding | word].

    Alone or in a stack, and however long a neighbour's sentences are, a training gets the same bits: a product is always
    of one step, so its shape knows neither S nor T; gradients of weights grow in place, step after step; and padding,
    which leaves no state, adds exact zeros to them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, valid: Tensor, weight: Tensor, head: Tensor) -> Tensor:
        S, T, B, D = x.shape
        H = head.shape[2] - 1
        tiles = x.new_empty(T + 1, 2 * S, B, H + 2 + D)
        tiles[0, ..., :H] = 0
        tiles[..., H] = 1
        tiles[:-1, ..., H + 1] = _both(~valid)
        tiles[:-1, ..., H + 2 :] = _both(x)
        gates = x.new_empty(T, 2 * S, B, 4 * H)
        cells = x.new_empty(T + 1, 2 * S, B, H)
        cells[0] = 0
        tanh_cells = x.new_empty(T, 2 * S, B, H)
        logits = x.new_empty(T, 2 * S, B, head.shape[1])

        to_gates, to_logits = weight.mT, head.mT
        olds = (tiles[:-1], gates, *gates.chunk(4, dim=3), cells[:-1])
        news = (cells[1:], tanh_cells, tiles[1:, ..., :H], tiles[1:, ..., : H + 1], logits)
        for tile, ifgo, i, f, g, o, old, c, tanh_c, h, h_1, y in zip(*olds, *news, strict=True):
            torch.bmm(tile, to_gates, out=ifgo)
            for gate in (i, f, o):
                gate.sigmoid_()
            torch.mul(f, old, out=c).addcmul_(i, g.tanh_())
            torch.mul(o, torch.tanh(c, out=tanh_c), out=h)
            torch.bmm(h_1, to_logits, out=y)
        ctx.save_for_backward(tiles, gates, cells, tanh_cells, weight, head)
        return _sum(logits)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
        tiles, gates, cells, tanh_cells, weight, head = ctx.saved_tensors
        H = head.shape[2] - 1
        d_weight, d_head, d_gates = torch.zeros_like(weight), torch.zeros_like(head), torch.empty_like(gates[0])
        d_tiles = torch.empty_like(tiles)
        d_tiles[-1, ..., :H] = 0
        dc = torch.zeros_like(cells[0])
        dh, p, q = torch.empty_like(dc), torch.empty_like(dc), torch.empty_like(dc)

        di, df, dg, do = d_gates.chunk(4, dim=2)
        from_gates, from_logits = d_gates.mT, head[..., :H]
        values = (tiles[:-1], tiles[1:, ..., : H + 1], *gates.chunk(4, dim=3), cells[:-1], tanh_cells)
        slopes = (_both(d_logits), d_tiles[1:, ..., :H], d_tiles[:-1])
        steps = [reversed(each.unbind()) for each in values + slopes]
        for tile, h_1, i, f, g, o, old, tanh_c, dy, d_state, d_tile in zip(*steps, strict=True):
            d_head.baddbmm_(dy.mT, h_1)
            torch.baddbmm(d_state, dy, from_logits, out=dh).mul_(o)
            # The slope of a sigmoid s is s - s * s and that of a tanh t is 1 - t * t: both are multiplied out below.
            torch.mul(dh, tanh_c, out=p)
            torch.addcmul(p, p, o, value=-1, out=do)
            dc.add_(dh).addcmul_(p, tanh_c, value=-1)
            torch.mul(dc, i, out=p)
            torch.mul(p, g, out=q)
            torch.addcmul(q, q, i, value=-1, out=di)
            torch.addcmul(p, q, g, value=-1, out=dg)
            torch.mul(dc.mul_(f), old, out=p)
            torch.addcmul(p, p, f, value=-1, out=df)
            torch.bmm(d_gates, weight, out=d_tile)
            d_weight.baddbmm_(from_gates, tile)
        return _sum(d_tiles[:-1, ..., H + 2 :]), None, d_weight, d_head
