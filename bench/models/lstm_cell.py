"""The elementwise part of an LSTM step and its gradient: compiled for float32 on the CPU, in plain torch for all else.

Arrays hold whole sentences; `[t, z]` is time step t of row z, one direction of one run: `gates (T, Z, 4H, B)` in nn.LSTM's
order, `cells (T + 1, Z, H, B)`, and `states (T + 1, Z, >= H, B)`, of which the first H rows are used. Step t reads `cells[t]`
and writes `cells[t + 1]` and `states[t + 1]`.

The compiled loops compute exponentials by a polynomial, which the compiler can vectorise. They do without numba's fastmath,
which would let results depend on the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor


def stepper(gates: Tensor, cells: Tensor, states: Tensor) -> Callable[[int], None]:
    """Return a function of t that activates `gates[t]` in place, and fills `cells[t + 1]` and `states[t + 1]`."""
    if _compiles(gates):
        return partial(_step, *_rows(gates, cells, states))
    return partial(_plain_step, gates, cells, states)


def gradient_stepper(
    gates: Tensor, cells: Tensor, d_states: Tensor, d_state: Tensor, d_cell: Tensor, d_gates: Tensor
) -> Callable[[int], None]:
    """Return a function of t that computes the gradients of step t.

    It reads the gradients of the step's outputs: `d_state (Z, H, B)` plus `d_states[t + 1]`, and `d_cell (Z, H, B)`. It fills
    `d_gates (Z, 4H, B)`, and turns `d_cell` into the gradient of `cells[t]`. It may change `d_state`.
    """
    if _compiles(gates):
        return partial(_gradients, *_rows(gates, cells, d_states), *_rows(d_state, d_cell, d_gates, start=1))
    return partial(_plain_gradients, gates, cells, d_states, d_state, d_cell, d_gates)


def _compiles(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32


def _rows(*tensors: Tensor, start: int = 2) -> list[Any]:
    return [tensor.flatten(start).numpy() for tensor in tensors]


# Plain torch


def _plain_step(gates: Tensor, cells: Tensor, states: Tensor, t: int) -> None:
    i, f, g, o = gates[t].chunk(4, dim=1)
    for gate in (i, f, o):
        gate.sigmoid_()
    torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, g.tanh_())
    torch.mul(o, cells[t + 1].tanh(), out=states[t + 1, :, : o.shape[1]])


def _plain_gradients(
    gates: Tensor, cells: Tensor, d_states: Tensor, d_state: Tensor, d_cell: Tensor, d_gates: Tensor, t: int
) -> None:
    i, f, g, o = gates[t].chunk(4, dim=1)
    di, df, dg, do = d_gates.chunk(4, dim=1)
    tanh_c = cells[t + 1].tanh()
    d_state += d_states[t + 1, :, : o.shape[1]]
    _of_sigmoid(torch.mul(d_state, tanh_c, out=do), o, grad_input=do)
    d_cell += _of_tanh(d_state.mul_(o), tanh_c, grad_input=d_state)
    _of_sigmoid(torch.mul(d_cell, g, out=di), i, grad_input=di)
    _of_sigmoid(torch.mul(d_cell, cells[t], out=df), f, grad_input=df)
    _of_tanh(torch.mul(d_cell, i, out=dg), g, grad_input=dg)
    d_cell *= f


_of_sigmoid, _of_tanh = torch.ops.aten.sigmoid_backward.grad_input, torch.ops.aten.tanh_backward.grad_input


# Compiled. A step is several loops because the compiler vectorises a loop only if few of its arrays might overlap.

_ONE, _TWO = np.float32(1), np.float32(2)
_LOG2_E, _LN_2, _LN_2_REST = np.float32(1 / np.log(2)), np.float32(0.693359375), np.float32(np.log(2) - 0.693359375)
_ROUNDER = np.float32(1.5 * 2**23)
"""Added to a small float32, it leaves the nearest integer in the low bits of the sum."""
_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)
_C2, _C3, _C4, _C5, _C6 = (np.float32(c) for c in (0.5, 0.16666543, 0.041666280, 0.0083666106, 0.0013946501))
"""exp(r) = 1 + r + C2 r^2 + ... + C6 r^6 within 2e-8 for |r| <= ln(2) / 2: minimax, found by linear programming."""

EXPONENTIAL = (_LOG2_E, _ROUNDER, _LN_2, _LN_2_REST, _C2, _C3, _C4, _C5, _C6)
"""All constants of the exponential, for programs that compute it without numba."""

_MOST, _ENOUGH = np.float32(89), np.float32(19)
"""In float32, 1 / (1 + exp(89)) is 0, and 1 + exp(-x) is 1 for x >= 19."""


@njit(inline="always")
def _exp(x: Any) -> Any:
    """Return `(2^k, p)` with exp(x) = 2^k (1 + p), for x in [-87, 89]; 2^k is infinite from 88.4 on, 1 + p always positive."""
    rounded = np.float32(x * _LOG2_E + _ROUNDER)
    k = rounded - _ROUNDER
    r = (x - k * _LN_2) - k * _LN_2_REST
    power = np.int32((rounded.view(np.int32) + _BIAS) << _MANTISSA_BITS).view(np.float32)
    return power, r + r * r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * _C6))))


@njit(inline="always")
def _sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), exactly 0 for x <= -89."""
    x = _MOST if -x > _MOST else -x
    x = -_ENOUGH if x < -_ENOUGH else x
    power, p = _exp(x)
    return _ONE / (_ONE + power * (_ONE + p))


@njit(inline="always")
def _tanh(x: Any) -> Any:
    """Return (exp(2x) - 1) / (exp(2x) + 1), accurate near 0."""
    x = x + x
    x = _ENOUGH if x > _ENOUGH else x
    x = -_ENOUGH if x < -_ENOUGH else x
    power, p = _exp(x)
    less_one = power * p + (power - _ONE)
    return less_one / (less_one + _TWO)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(gates: Any, cells: Any, states: Any, t: int) -> None:
    n = cells.shape[2]
    for z in range(cells.shape[1]):
        ifgo, old, c, h = gates[t, z], cells[t, z], cells[t + 1, z], states[t + 1, z]
        i, f, g, o = ifgo[:n], ifgo[n : 2 * n], ifgo[2 * n : 3 * n], ifgo[3 * n :]
        for k in range(n):
            i[k], g[k] = _sigmoid(i[k]), _tanh(g[k])
        for k in range(n):
            f[k] = _sigmoid(f[k])
            c[k] = f[k] * old[k] + i[k] * g[k]
        for k in range(n):
            o[k] = _sigmoid(o[k])
            h[k] = o[k] * _tanh(c[k])


@njit(cache=True, nogil=True, error_model="numpy")
def _gradients(gates: Any, cells: Any, d_states: Any, d_state: Any, d_cell: Any, d_gates: Any, t: int) -> None:
    n = cells.shape[2]
    for z in range(cells.shape[1]):
        ifgo, old, c = gates[t, z], cells[t, z], cells[t + 1, z]
        i, f, g, o = ifgo[:n], ifgo[n : 2 * n], ifgo[2 * n : 3 * n], ifgo[3 * n :]
        d_ifgo, dc, dh, more = d_gates[z], d_cell[z], d_state[z], d_states[t + 1, z]
        di, df, dg, do = d_ifgo[:n], d_ifgo[n : 2 * n], d_ifgo[2 * n : 3 * n], d_ifgo[3 * n :]
        for k in range(n):
            tanh_c, o_k, dh_k = _tanh(c[k]), o[k], dh[k] + more[k]
            do[k] = dh_k * tanh_c * (o_k - o_k * o_k)
            dh[k] = dh_k * o_k * (_ONE - tanh_c * tanh_c)
        for k in range(n):
            i_k, g_k, dc_k = i[k], g[k], dc[k] + dh[k]
            di[k] = dc_k * g_k * (i_k - i_k * i_k)
            dg[k] = dc_k * i_k * (_ONE - g_k * g_k)
        for k in range(n):
            f_k, dc_k = f[k], dc[k] + dh[k]
            df[k] = dc_k * old[k] * (f_k - f_k * f_k)
            dc[k] = dc_k * f_k
