"""Each strategy's loss on its own slice of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from strategies import ClassCounts, Strategy


class Objective:
    """Losses of a stack whose trainings of one strategy lie side by side; counts are those before resampling."""

    def __init__(self, strategies: Sequence[Strategy], counts: Sequence[ClassCounts], device: torch.device) -> None:
        self._slices = []
        for strategy, members in groupby(range(len(strategies)), key=strategies.__getitem__):
            rows = list(members)
            loss = strategy.loss(ClassCounts.stack([counts[row] for row in rows])).to(device)
            self._slices.append((slice(rows[0], rows[-1] + 1), loss))

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """`logits (S, M, C)`, `targets (S, M)` -> a loss for each training `(S,)`."""
        return torch.cat([loss.rows(logits[rows], targets[rows]) for rows, loss in self._slices])
