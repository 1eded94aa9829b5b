"""Sampling whose class mix moves from one stream to another as training proceeds."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import hash_key, uniforms
from strategies.draw.streams import CPU, IndexStream


class Progressive:
    """A stream whose j-th draw, counted over all epochs, comes from `after` with probability `min(1, j / over)`, else `before`.

    The progressively balanced sampling of Kang et al. (ICLR 2020), which moves with every draw instead of once per epoch.

    Parameters
    ----------
    before, after
        Streams over the same items, such as the natural mix and the balanced one.
    over
        Number of draws after which all come from `after`.
    """

    def __init__(self, before: IndexStream, after: IndexStream, *, over: int) -> None:
        self.before, self.after, self.over = before, after, over
        self.items = after.items
        self.stream_key = hash_key("progressive", before.stream_key, after.stream_key, over)

    def length(self, epoch: int) -> int:
        return self.after.length(epoch)

    def indices_at(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        where = torch.arange(positions.start, positions.stop, positions.step, device=device)
        progress = where.add(epoch * self.length(epoch)).double().div_(self.over)
        from_after = uniforms(hash_key(self.stream_key, epoch), where) < progress
        after = self.after.indices_at(epoch, positions, device)
        before = self.before.indices_at(epoch, positions, device)
        return torch.where(from_after, after, before)
