"""Draws whose class mix moves from one to another as training goes on."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import key_of, uniforms
from strategies.draw.streams import CPU, Draws


class Progressive:
    """Draw j of all comes from `after` with probability `j / over`, at most 1, and else from `before`.

    The progressively balanced sampling of Kang et al. (ICLR 2020), a step of it a draw, not an epoch.
    """

    def __init__(self, before: Draws, after: Draws, *, over: int) -> None:
        self.before, self.after, self.over = before, after, over
        self.items, self.stream = after.items, key_of("progressive", before.stream, after.stream, over)

    def length(self, epoch: int) -> int:
        return self.after.length(epoch)

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        where = torch.arange(positions.start, positions.stop, positions.step, device=device)
        progress = where.add(epoch * self.length(epoch)).double().div_(self.over)
        moved = uniforms(key_of(self.stream, epoch), where) < progress
        return torch.where(moved, self.after.take(epoch, positions, device), self.before.take(epoch, positions, device))
