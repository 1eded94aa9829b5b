"""Building blocks of models, for a whole stack at once: linear layer, initialisation, dropout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd.function import once_differentiable

LINE = 16
"""Batches are padded to a multiple of this many floats, one 64-byte cache line. MKL's rounding depends on the alignment of a
matrix: a run gives the same bits alone and in a stack only if the matrices of every run begin on a cache line."""


def uniform(*shape: int, fan_in: int, generator: Generator) -> Tensor:
    """Sample `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`: the default of `nn.Linear` and, with the hidden size, of `nn.LSTM`."""
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(*shape).uniform_(-bound, bound, generator=generator)


def linear(x: Tensor, weight: Tensor, bias: Tensor, *, relu: bool = False) -> Tensor:
    """Apply nn.Linear, and ReLU on request, per run: `x (S, B, I)`, `weight (S, O, I)`, `bias (S, O)` -> `(S, B, O)`."""
    B = x.shape[1]
    if spare := -B % LINE:
        return linear(F.pad(x, (0, 0, 0, spare)), weight, bias, relu=relu)[:, :B]
    out: Tensor = _Linear.apply(x, weight, bias, relu)  # type: ignore[no-untyped-call]
    return out


def drop_features(x: Tensor, share: float, noise: Sequence[Generator] | None) -> Tensor:
    """Drop features `x (S, B, H)`, or `(S, T, B, H)` of sentences, each run by its own generator; none without generators.

    A sentence drops the same features at all of its words (Gal & Ghahramani, 2016), so that the random numbers of a run do not
    depend on the length of its neighbours' sentences.
    """
    if noise is None or share == 0:
        return x
    kept = torch.stack([torch.rand(x.shape[-2:], generator=generator) >= share for generator in noise])
    scale = (kept / (1 - share)).to(x.device, x.dtype)
    return x * (scale if x.ndim == 3 else scale.unsqueeze(1))


class _Linear(torch.autograd.Function):
    """The products that autograd would use, with ReLU in place, and with contiguous gradients.

    The layout of an incoming gradient depends on how many losses a stack has, and the rounding of a product on the layout.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
        out = torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
        if relu:
            out.relu_()
        ctx.save_for_backward(x, weight, out if relu else None)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        x, weight, out = ctx.saved_tensors
        d_out = d_out.contiguous()
        if out is not None:
            d_out = torch.ops.aten.threshold_backward(d_out, out, 0)
        d_x = torch.bmm(d_out, weight) if ctx.needs_input_grad[0] else None
        return d_x, torch.bmm(d_out.mT, x), d_out.sum(1), None
