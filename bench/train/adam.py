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
    """torch.optim.Adam row by row of `leaf (S, P)`: each row has a rate, a step count, and a stretch of columns that moves.

    A step reads `gradient (S, P)`. All lie where they are for good, so that what a row moves is sliced once.
    """

    def __init__(self, leaf: Tensor, rates: Sequence[Rate], moves: slice) -> None:
        self.gradient = torch.zeros_like(leaf)
        self._all = leaf.detach(), self.gradient, torch.zeros_like(leaf), torch.zeros_like(leaf)
        self._steps = [torch.zeros((), dtype=torch.float32, device=leaf.device) for _ in leaf]
        self._moving = [self._sliced(row, moves) for row in range(len(leaf))]
        self._rows_of = {rate: [row for row, each in enumerate(rates) if each == rate] for rate in rates}

    @torch.no_grad()
    def restart(self, row: int, moves: slice) -> None:
        """From now on only these columns of a row move, without momentum from before."""
        self._moving[row] = self._sliced(row, moves)
        for moment in self._all[2:]:
            moment[row] = 0
        self._steps[row].zero_()

    def squares(self) -> Tensor:
        """The squared length of what each row's gradient has to say of the columns that move, `(S,)`."""
        return torch.stack([gradient.square().sum() for _, gradient, _, _ in self._moving])

    @torch.no_grad()
    def step(self, scales: Tensor | None = None) -> None:
        """One step of every row along its own gradient, `scales (S,)` times."""
        if scales is not None:
            self.gradient.mul_(scales.unsqueeze(1))
        for rate, rows in self._rows_of.items():
            params, gradients, means, squares = map(list, zip(*(self._moving[row] for row in rows), strict=True))
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

    def _sliced(self, row: int, moves: slice) -> tuple[Tensor, ...]:
        return tuple(tensor[row, moves] for tensor in self._all)
