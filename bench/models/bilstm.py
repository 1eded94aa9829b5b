"""The BiLSTM tagger: each word of a sentence is labelled from the state of a reader before it and of one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.autograd.function import once_differentiable

from bench.models.model import Params, Shape, uniform

DIRECTIONS = ("", "_reverse")

SHUT = -1e30
"""What a padded position adds to its input and forget gates: their sigmoids are exactly 0, so it has no state at all."""


@dataclass(frozen=True)
class BiLSTMTagger:
    """Huang, Xu & Yu (2015), "Bidirectional LSTM-CRF models for sequence tagging": the BI-LSTM network, one layer."""

    name: str = "bilstm-tagger"
    embedding: int = 50
    hidden: int = 64

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

    def forward(self, params: Params, x: Tensor, valid: Tensor | None) -> Tensor:
        valid = torch.ones_like(x[..., 0], dtype=torch.bool) if valid is None else valid
        cell = torch.cat([_cell(params, direction) for direction in DIRECTIONS])
        before, behind = params["head.weight"].chunk(2, dim=2)
        bias = params["head.bias"].unsqueeze(2)
        head = torch.cat([torch.cat([before, bias], 2), torch.cat([behind, torch.zeros_like(bias)], 2)])
        logits: Tensor = _Reading.apply(x, valid, cell, head)  # type: ignore[no-untyped-call]
        return logits.masked_fill(~valid.unsqueeze(3), 0).flatten(1, 2)


def _cell(params: Params, direction: str) -> Tensor:
    """`(S, 4H, H + 2 + D)`: what the columns of a step's tile (see `_Reading`) add to the gates."""
    bias = params[f"rnn.bias_ih_l0{direction}"] + params[f"rnn.bias_hh_l0{direction}"]
    padded = torch.zeros_like(bias)
    padded[:, : bias.shape[1] // 2] = SHUT
    columns = [bias.unsqueeze(2), padded.unsqueeze(2)]
    return torch.cat([params[f"rnn.weight_hh_l0{direction}"], *columns, params[f"rnn.weight_ih_l0{direction}"]], 2)


def _both(x: Tensor) -> Tensor:
    """`(S, T, ...)` -> `(T, 2S, ...)`: in the order of the reader before each word, then of the one behind it."""
    return torch.cat([x, x.flip(1)]).transpose(0, 1)


def _sum(x: Tensor) -> Tensor:
    """`(T, 2S, ...)` -> `(S, T, ...)`: the adjoint of `_both`."""
    before, behind = x.transpose(0, 1).chunk(2)
    return before + behind.flip(1)


class _Reading(torch.autograd.Function):
    """`x (S, T, B, D)`, `valid (S, T, B)`, `cell (2S, 4H, H + 2 + D)`, `head (2S, C, H + 1)` -> logits `(S, T, B, C)`.

    The two readers of each training are 2S rows, and a step of all of them is one batched product. Its tile
    `(2S, B, H + 2 + D)` holds [state left by the step before | 1 | is padding | word].

    Alone or in a stack, and however long a neighbour's sentences are, a training gets the same bits: a product is always
    of one step, so its shape knows neither S nor T; gradients of weights grow in place, step after step; and padding,
    whose state is 0, adds exact zeros to them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, valid: Tensor, cell: Tensor, head: Tensor) -> Tensor:
        S, T, B, D = x.shape
        H = head.shape[2] - 1
        tiles = x.new_empty(T + 1, 2 * S, B, H + 2 + D)
        tiles[0, ..., :H] = 0
        tiles[..., H] = 1
        tiles[:-1, ..., H + 1] = _both(~valid)
        tiles[:-1, ..., H + 2 :] = _both(x)
        gates = x.new_empty(T, 2 * S, B, 4 * H)
        memory = x.new_empty(T + 1, 2 * S, B, H)
        memory[0] = 0
        tanh_memory = x.new_empty(T, 2 * S, B, H)
        logits = x.new_empty(T, 2 * S, B, head.shape[1])

        gates_of, logits_of = cell.mT, head.mT
        for tile, ifgo, i, f, g, o, old, c, tanh_c, h, h1, y in zip(
            *(tiles[:-1], gates, *gates.chunk(4, dim=3), memory[:-1], memory[1:], tanh_memory),
            *(tiles[1:, ..., :H], tiles[1:, ..., : H + 1], logits),
            strict=True,
        ):
            torch.bmm(tile, gates_of, out=ifgo)
            i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()
            torch.mul(f, old, out=c).addcmul_(i, g)
            torch.mul(o, torch.tanh(c, out=tanh_c), out=h)
            torch.bmm(h1, logits_of, out=y)
        ctx.save_for_backward(tiles, gates, memory, tanh_memory, cell, head)
        return _sum(logits)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
        tiles, gates, memory, tanh_memory, cell, head = ctx.saved_tensors
        H = head.shape[2] - 1
        d_cell, d_head, d_gates = torch.zeros_like(cell), torch.zeros_like(head), torch.empty_like(gates[0])
        di, df, dg, do = d_gates.chunk(4, dim=2)
        d_tiles = torch.empty_like(tiles)
        d_tiles[-1, ..., :H] = 0
        dc = torch.zeros_like(memory[0])
        dh, p, q = (torch.empty_like(dc) for _ in range(3))

        head_h, d_gates_t = head[..., :H], d_gates.mT
        steps = (tiles[:-1], tiles[1:, ..., : H + 1], *gates.chunk(4, dim=3), memory[:-1], tanh_memory)
        grads = (_both(d_logits), d_tiles[1:, ..., :H], d_tiles[:-1])
        for tile, h1, i, f, g, o, old, tanh_c, dy, d_state, d_tile in zip(
            *(reversed(each.unbind()) for each in steps + grads), strict=True
        ):
            d_head.baddbmm_(dy.mT, h1)
            torch.baddbmm(d_state, dy, head_h, out=dh).mul_(o)
            # sigmoid' = s - s * s and tanh' = 1 - t * t, each multiplied out
            torch.mul(dh, tanh_c, out=p)
            torch.addcmul(p, p, o, value=-1, out=do)
            dc.add_(dh).addcmul_(p, tanh_c, value=-1)
            torch.mul(dc, i, out=p)
            torch.mul(p, g, out=q)
            torch.addcmul(q, q, i, value=-1, out=di)
            torch.addcmul(p, q, g, value=-1, out=dg)
            torch.mul(dc.mul_(f), old, out=p)
            torch.addcmul(p, p, f, value=-1, out=df)
            torch.bmm(d_gates, cell, out=d_tile)
            d_cell.baddbmm_(d_gates_t, tile)
        return _sum(d_tiles[:-1, ..., H + 2 :]), None, d_cell, d_head
