"""Adam for the rows of a leaf: each training has a rate of its own, and which of its parameters move, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.adam import adam

BETAS, EPS = (0.9, 0.999), 1e-8
"""torch.optim.Adam's own."""


@dataclass(frozen=True)
class Rate:
    """How one training moves."""

    learning_rate: float
    weight_decay: float = 0.0


class RowAdam:
    """torch.optim.Adam row by row: `leaf (S, P)`, each row with a rate, a step count, and a stretch of columns that moves."""

    def __init__(self, leaf: Tensor, rates: Sequence[Rate], moves: slice) -> None:
        self.leaf = leaf
        self._moments = torch.zeros_like(leaf), torch.zeros_like(leaf)
        self._steps = [torch.zeros((), dtype=torch.float32, device=leaf.device) for _ in leaf]
        self._moves = [moves for _ in leaf]
        self._rows_of = {rate: [row for row, each in enumerate(rates) if each == rate] for rate in rates}

    def restart(self, row: int, moves: slice) -> None:
        """From now on only these columns of a row move, without momentum from before."""
        self._moves[row] = moves
        for moment in self._moments:
            moment[row] = 0
        self._steps[row].zero_()

    def squares(self) -> Tensor:
        """The squared length of what each row's gradient has to say of the columns that move, `(S,)`."""
        return torch.stack([row.square().sum() for row in self._moving(self._gradient())])

    @torch.no_grad()
    def step(self, scales: Tensor | None = None) -> None:
        """One step of every row along its own gradient, `scales (S,)` times, which is then forgotten."""
        gradient = self._gradient()
        if scales is not None:
            gradient = gradient * scales.unsqueeze(1)
        each = [self._moving(tensor) for tensor in (self.leaf.detach(), gradient, *self._moments)]
        for rate, rows in self._rows_of.items():
            params, gradients, means, squares = ([of_row[row] for row in rows] for of_row in each)
            adam(
                params,
                gradients,
                means,
                squares,
                max_exp_avg_sqs=[],
                state_steps=[self._steps[row] for row in rows],
                fused=True,
                amsgrad=False,
                maximize=False,
                weight_decay=rate.weight_decay,
                beta1=BETAS[0],
                beta2=BETAS[1],
                eps=EPS,
                lr=rate.learning_rate,
            )
        self.leaf.grad = None

    def _moving(self, tensor: Tensor) -> list[Tensor]:
        return [row[moves] for row, moves in zip(tensor, self._moves, strict=True)]

    def _gradient(self) -> Tensor:
        gradient = self.leaf.grad
        assert gradient is not None, "step() follows backward()"
        return gradient
