"""What models are made of, for a whole stack at once: a linear layer, its first values, and what is dropped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.autograd.function import once_differentiable

LINE = 16
"""Batches are whole multiples of it inside a model. MKL rounds by where a matrix lies: only if every training's matrices
begin on a 64-byte line does a training give the same bits alone and in a stack."""


def uniform(*shape: int, fan_in: int, generator: Generator) -> Tensor:
    """`U(-1/sqrt(fan_in), 1/sqrt(fan_in))`: the default of `nn.Linear` and, with the hidden size, of `nn.LSTM`."""
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(*shape).uniform_(-bound, bound, generator=generator)


def linear(x: Tensor, weight: Tensor, bias: Tensor, *, relu: bool = False) -> Tensor:
    """`x (S, B, I)`, `weight (S, O, I)`, `bias (S, O)` -> `(S, B, O)`: nn.Linear, and ReLU if asked, row by row of the stack."""
    B = x.shape[1]
    if spare := -B % LINE:
        return linear(F.pad(x, (0, 0, 0, spare)), weight, bias, relu=relu)[:, :B]
    out: Tensor = _Linear.apply(x, weight, bias, relu)  # type: ignore[no-untyped-call]
    return out


def dropped(x: Tensor, share: float, noise: Sequence[Generator] | None) -> Tensor:
    """Dropout of features `x (S, B, H)`, or `(S, T, B, H)` of sentences, each training by its own generator; none without.

    A sentence drops the same features at all of its words (Gal & Ghahramani, 2016): what is drawn must not depend on how
    long a neighbour's sentences are.
    """
    if noise is None or share == 0:
        return x
    kept = torch.stack([torch.rand(x.shape[-2:], generator=each) >= share for each in noise])
    scale = (kept / (1 - share)).to(x.device, x.dtype)
    return x * (scale if x.ndim == 3 else scale.unsqueeze(1))


class _Linear(torch.autograd.Function):
    """Autograd's own products, but ReLU in place, and gradients that lie as the values do.

    A gradient's layout would tell whether the losses of a stack are one or many, and the product's rounding with it.
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
