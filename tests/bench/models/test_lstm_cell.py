"""The cell, compiled (float32) and in plain torch (float64), is the textbook's formula with autograd's gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bench.models.bilstm import SHUT
from bench.models.lstm_cell import gradient_stepper, stepper

T, Z, H, B, MORE = 3, 2, 5, 16, 4
BOTH = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])


def formula(gates: Tensor, old: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = gates.chunk(4, dim=1)
    c = f.sigmoid() * old + i.sigmoid() * g.tanh()
    return c, o.sigmoid() * c.tanh()


def arrays(dtype: torch.dtype, spread: float = 3.0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    gates = torch.randn(T, Z, 4 * H, B, generator=generator, dtype=torch.float64) * spread
    cells = torch.randn(T + 1, Z, H, B, generator=generator, dtype=torch.float64)
    return gates.to(dtype), cells.to(dtype), torch.full((T + 1, Z, H + MORE, B), 7.0, dtype=dtype)


@BOTH
@pytest.mark.parametrize("spread", [1e-3, 3.0, 50.0])
def test_a_step_is_the_formula(dtype: torch.dtype, tolerance: float, spread: float) -> None:
    gates, cells, states = arrays(dtype, spread)
    before = states.clone()
    c, h = formula(gates[1].double(), cells[1].double())
    stepper(gates, cells, states)(1)
    torch.testing.assert_close(cells[2].double(), c, rtol=tolerance, atol=tolerance * spread / 50)
    torch.testing.assert_close(states[2, :, :H].double(), h, rtol=tolerance, atol=tolerance * spread / 50)
    states[2, :, :H] = before[2, :, :H]
    assert torch.equal(states, before)  # and nothing else was touched


@BOTH
def test_its_gradients_are_autograds(dtype: torch.dtype, tolerance: float) -> None:
    gates, cells, states = arrays(dtype)
    generator = torch.Generator().manual_seed(1)
    d_state, d_cell = torch.randn(2, Z, H, B, generator=generator, dtype=torch.float64).to(dtype)
    d_states = torch.randn(T + 1, Z, H + MORE, B, generator=generator, dtype=torch.float64).to(dtype)
    leaves = [each.double().requires_grad_() for each in (gates[1], cells[1])]
    d_h = d_state.double() + d_states[2, :, :H].double()
    torch.autograd.backward(formula(*leaves), (d_cell.double(), d_h))
    stepper(gates, cells, states)(1)
    d_gates = torch.full_like(gates[1], torch.nan)
    gradient_stepper(gates, cells, d_states, d_state, d_cell, d_gates)(1)
    torch.testing.assert_close(d_gates.double(), leaves[0].grad, rtol=10 * tolerance, atol=tolerance)
    torch.testing.assert_close(d_cell.double(), leaves[1].grad, rtol=10 * tolerance, atol=tolerance)


@BOTH
def test_a_cell_at_padding_leaves_exactly_zero(dtype: torch.dtype, tolerance: float) -> None:
    gates, cells, states = arrays(dtype)
    gates[0, :, : 2 * H] += SHUT
    stepper(gates, cells, states)(0)
    assert (cells[1] == 0).all()
    assert (states[1, :, :H] == 0).all()
    d_state, d_cell, d_gates = torch.ones(Z, H, B, dtype=dtype), torch.ones(Z, H, B, dtype=dtype), gates[0].clone()
    gradient_stepper(gates, cells, torch.zeros_like(states), d_state, d_cell, d_gates)(0)
    assert (d_gates == 0).all()
    assert (d_cell == 0).all()


@BOTH
def test_nan_stays_nan(dtype: torch.dtype, tolerance: float) -> None:
    gates, cells, states = arrays(dtype)
    gates[0, 0, :, 3] = torch.nan
    stepper(gates, cells, states)(0)
    assert cells[1, 0, :, 3].isnan().all()
    assert states[1, 0, :H, 3].isnan().all()
    assert states[1].isnan().sum() == H


def test_saturated_gates_are_exactly_0_or_1() -> None:
    """Far out a sigmoid is 0 or 1 and a tanh -1 or 1, at every magnitude that a float32 has."""
    for far in (100.0, 1e4, 1e30, torch.inf):
        gates, cells, states = arrays(torch.float32)
        gates[0], cells[0] = far, 0.5
        gates[0, :, 2 * H : 3 * H] = -far
        stepper(gates, cells, states)(0)
        assert (gates[0, :, 2 * H : 3 * H] == -1).all()
        assert (cells[1] == -0.5).all()


def test_finite_gates_never_give_nan() -> None:
    """Where exponentials overflow, and everywhere else that training may go."""
    for far in torch.linspace(-130, 130, 2601).tolist():
        gates, cells, states = arrays(torch.float32)
        gates[0], cells[0] = far, 0.5
        c, h = formula(gates[0].double(), cells[0].double())
        stepper(gates, cells, states)(0)
        torch.testing.assert_close(cells[1].double(), c, rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(states[1, :, :H].double(), h, rtol=1e-6, atol=1e-7)
