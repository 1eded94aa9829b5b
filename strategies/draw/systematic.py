"""Systematic sampling: as even as whole numbers allow."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import hash_key, random_order, uniforms
from strategies.draw.streams import EpochStream, make_stream_key


class Systematic(EpochStream):
    """A stream in which every item comes the floor or the ceiling of its expected number of times per epoch, in random order.

    One uniform number per epoch places all draws (Madow and Madow 1944). They are unbiased and of low variance, but *not
    independent*: a test that assumes independent draws does not apply.

    Parameters
    ----------
    weights
        One weight per item, `(N,)`: finite, not negative, not all 0.
    num_samples
        Number of draws per epoch.
    seed
        Any whole number.

    Examples
    --------
    >>> index = Systematic(torch.tensor([1.0, 3.0]), num_samples=8, seed=0).indices_at(0, range(8))
    >>> torch.bincount(index).tolist()
    [2, 6]
    """

    def __init__(self, weights: Tensor, *, num_samples: int, seed: int) -> None:
        super().__init__(len(weights), make_stream_key(seed, weights))
        cumulative = (weights.double() / weights.max()).cumsum(0)
        self.num_samples = num_samples
        self.expected_until = cumulative.mul_(num_samples / cumulative[-1])
        self.expected_until[-1] = num_samples  # exactly, lest rounding add or lose a draw

    def length(self, epoch: int) -> int:
        return self.num_samples

    def generate_epoch(self, epoch: int) -> Tensor:
        epoch_key = hash_key(self.stream_key, epoch)
        # All draws lie 1 apart and are shifted by one uniform number: count those up to the end of each item.
        shift = uniforms(epoch_key, torch.zeros(1, dtype=torch.int64))
        draws_until = self.expected_until.add(shift).floor_().to(torch.int64)
        draws_until.clamp_(max=self.num_samples)
        repeats = draws_until.diff(prepend=draws_until.new_zeros(1))
        return torch.repeat_interleave(repeats)[random_order(hash_key("order", epoch_key), self.num_samples)]
