"""Systematic draws: as even as whole numbers allow."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import key_of, shuffled, uniforms
from strategies.draw.streams import WholeEpochs, stream_of


class Systematic(WholeEpochs):
    """Every item is drawn the floor or the ceiling of its expected number of times, in random order.

    One uniform number an epoch places all draws (Madow & Madow 1944). Draws are unbiased and of low variance, but *not
    independent*: do not put them to a test that takes them to be.

    >>> drawn = Systematic(torch.tensor([1.0, 3.0]), draws=8, seed=0).take(0, range(8))
    >>> torch.bincount(drawn).tolist()
    [2, 6]
    """

    def __init__(self, weights: Tensor, *, draws: int, seed: int) -> None:
        super().__init__(len(weights), stream_of(seed, weights))
        share = (weights.double() / weights.max()).cumsum(0)
        self.draws, self.ends = draws, share.mul_(draws / share[-1])
        self.ends[-1] = draws  # not one more or less by rounding

    def length(self, epoch: int) -> int:
        return self.draws

    def make(self, epoch: int) -> Tensor:
        key = key_of(self.stream, epoch)
        passed = self.ends.add(uniforms(key, torch.zeros(1, dtype=torch.int64))).floor_().to(torch.int64)
        passed.clamp_(max=self.draws)
        times = passed.diff(prepend=passed.new_zeros(1))
        return torch.repeat_interleave(times)[shuffled(key_of("order", key), self.draws)]
