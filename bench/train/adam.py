"""Adam for the rows of a leaf: which parameters of a training move, and since when, is a matter of its own row."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam


class RowAdam:
    """torch.optim.Adam row by row: `leaf (S, P)`, each row with a step count, and a stretch of columns that moves."""

    def __init__(self, leaf: Tensor, learning_rate: float, moves: slice) -> None:
        self.leaf, self.learning_rate = leaf, learning_rate
        self._moments = torch.zeros_like(leaf), torch.zeros_like(leaf)
        self._steps = [torch.zeros((), dtype=torch.float32, device=leaf.device) for _ in leaf]
        self._moves = [moves for _ in leaf]

    def restart(self, row: int, moves: slice) -> None:
        """From now on only these columns of a row move, without momentum from before."""
        self._moves[row] = moves
        for moment in self._moments:
            moment[row] = 0
        self._steps[row].zero_()

    @torch.no_grad()
    def step(self) -> None:
        """One step of every row along its own gradient, which is then forgotten."""
        gradient = self.leaf.grad
        assert gradient is not None, "step() follows backward()"
        params, gradients, means, squares = (
            [row[moves] for row, moves in zip(each, self._moves, strict=True)]
            for each in (self.leaf.detach(), gradient, *self._moments)
        )
        adam(
            params,
            gradients,
            means,
            squares,
            max_exp_avg_sqs=[],
            state_steps=self._steps,
            fused=True,
            amsgrad=False,
            maximize=False,
            weight_decay=0.0,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            lr=self.learning_rate,
        )
        self.leaf.grad = None
