"""Adam for a stack: each run has its own learning rate, step count and set of trainable parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.adam import adam

BETAS, EPS = (0.9, 0.999), 1e-8
"""The defaults of torch.optim.Adam."""


@dataclass(frozen=True)
class Rate:
    """Learning rate and weight decay of one run."""

    learning_rate: float
    weight_decay: float = 0.0


class RowAdam:
    """torch.optim.Adam for each row of `leaf (S, P)`, which holds the parameters of one run.

    Set `gradient (S, P)` in place, then call `step`. Parameters, gradient and moments keep their memory for good, so the views
    of what a row trains are made once, not at every step. Rows of one rate are updated by one fused call.
    """

    def __init__(self, leaf: Tensor, rates: Sequence[Rate], columns: slice) -> None:
        self.gradient = torch.zeros_like(leaf)
        self._state = leaf.detach(), self.gradient, torch.zeros_like(leaf), torch.zeros_like(leaf)
        self._steps = [torch.zeros((), dtype=torch.float32, device=leaf.device) for _ in leaf]
        self._trainable = [self._views(row, columns) for row in range(len(leaf))]
        self._rows_of_rate = {rate: [row for row, other in enumerate(rates) if other == rate] for rate in rates}

    @torch.no_grad()
    def set_trainable(self, row: int, columns: slice) -> None:
        """Train only these columns of a row from now on; its momentum and step count begin at 0."""
        self._trainable[row] = self._views(row, columns)
        for moment in self._state[2:]:
            moment[row] = 0
        self._steps[row].zero_()

    def squared_grad_norm(self) -> Tensor:
        """Return the squared norm of each row's gradient over its trainable columns, `(S,)`."""
        return torch.stack([gradient.square().sum() for _, gradient, _, _ in self._trainable])

    @torch.no_grad()
    def step(self, scales: Tensor | None = None) -> None:
        """Take one step of every row with its own gradient, multiplied by `scales (S,)`."""
        if scales is not None:
            self.gradient.mul_(scales.unsqueeze(1))
        for rate, rows in self._rows_of_rate.items():
            params, gradients, means, squares = map(list, zip(*(self._trainable[row] for row in rows), strict=True))
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

    def _views(self, row: int, columns: slice) -> tuple[Tensor, ...]:
        """Return a row's parameters, gradient and two moments in these columns, as views."""
        return tuple(tensor[row, columns] for tensor in self._state)
