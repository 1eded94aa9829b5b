"""Weighted sampling without replacement.

Every item gets a random arrival time, exponentially distributed at the rate of its weight; the first items to arrive are the
sample (Efraimidis and Spirakis 2006). This is the law of successive draws without replacement.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from strategies.draw.counter_rng import hash_key, uniforms
from strategies.draw.streams import TORCH_CHUNK, EpochStream, make_stream_key


class WithoutReplacement(EpochStream):
    """A stream of epochs in which no item comes twice: the `num_samples` items that arrive first, in the order of arrival.

    The same law as `torch.multinomial(weights, num_samples, replacement=False)`.

    Parameters
    ----------
    weights
        One weight per item, `(N,)`: finite, not negative, at least `num_samples` of them positive.
    num_samples
        Number of items per epoch.
    seed
        Any whole number.

    Examples
    --------
    >>> stream = WithoutReplacement(torch.tensor([1.0, 2.0, 0.0, 5.0]), num_samples=3, seed=0)
    >>> sorted(stream.indices_at(0, range(3)).tolist())
    [0, 1, 3]
    """

    def __init__(self, weights: Tensor, *, num_samples: int, seed: int) -> None:
        super().__init__(len(weights), make_stream_key(seed, weights))
        self.weights, self.num_samples = weights.double() / weights.max(), num_samples

    def length(self, epoch: int) -> int:
        return self.num_samples

    def generate_epoch(self, epoch: int) -> Tensor:
        uniform = uniforms(hash_key(self.stream_key, epoch), torch.arange(self.items))
        arrival = _exponential_times(uniform).div_(self.weights)
        if self.num_samples == self.items:
            return arrival.argsort()
        return arrival.topk(self.num_samples, largest=False, sorted=True).indices


class WithoutReplacementByClass(EpochStream):
    """The same law where weights are constant within a class, faster: only early arrivals are timed and sorted.

    Parameters
    ----------
    classes
        Class id of every item, `(N,)`; an item of a negative class never arrives.
    rates
        The weight of an item of each class, `(C,)`; an item of rate 0 never arrives.
    num_samples
        Number of items per epoch.
    seed
        Any whole number.
    """

    def __init__(self, classes: Tensor, rates: Tensor, *, num_samples: int, seed: int) -> None:
        super().__init__(len(classes), make_stream_key(seed, classes, rates))
        self.num_samples = num_samples
        never = torch.zeros(1, dtype=torch.float64)  # the rate of one class more, which stands for all negative ones
        self.rates = torch.cat([rates.double() / rates.max(), never])
        self.classes = torch.where(classes < 0, len(rates), classes).to(torch.int32)
        counts = torch.bincount(self.classes, minlength=len(self.rates))
        self.horizon = _horizon(self.rates, counts, num_samples)

    def length(self, epoch: int) -> int:
        return self.num_samples

    def generate_epoch(self, epoch: int) -> Tensor:
        epoch_key, horizon = hash_key(self.stream_key, epoch), self.horizon
        while True:
            early, uniform = self._arrivals_until(epoch_key, horizon)
            if len(early) >= self.num_samples:
                arrival = _exponential_times(uniform) / self.rates[self.classes[early]]
                return early[arrival.argsort()[: self.num_samples]]
            horizon *= 2

    def _arrivals_until(self, epoch_key: int, horizon: float) -> tuple[Tensor, Tensor]:
        """Return the items that arrive by the time `horizon`, and their uniform numbers."""
        # An item arrives in time if its uniform number is below this bound: the logarithm need not be taken for all.
        bound_of_class = torch.where(self.rates > 0, -torch.expm1(-self.rates * horizon), 0)
        chunks = []
        for at in range(0, self.items, TORCH_CHUNK):
            items = torch.arange(at, min(at + TORCH_CHUNK, self.items))
            uniform = uniforms(epoch_key, items)
            bound = bound_of_class.index_select(0, self.classes[at : at + TORCH_CHUNK])
            early = torch.nonzero(uniform < bound).flatten()
            chunks.append((items[early], uniform[early]))
        items, uniform = (torch.cat(parts) for parts in zip(*chunks, strict=True))
        return items, uniform


def _exponential_times(uniform: Tensor) -> Tensor:
    """Turn uniform numbers into exponential times of rate 1.

    Half a unit is added because a uniform number of 0 would be time 0, a certain first place.
    """
    return uniform.add(2.0**-54).neg_().log1p_().neg_()


def _horizon(rates: Tensor, counts: Tensor, num_samples: int) -> float:
    """Return a time by which `num_samples` items have arrived almost surely, and not many more.

    `rates (C,)` and `counts (C,)` are those of the classes. The expected number of arrivals is six standard deviations
    above `num_samples`, found by bisecting the logarithm of the time.
    """
    wanted = num_samples + 6 * math.sqrt(num_samples) + 10
    if wanted >= counts[rates > 0].sum():
        return math.inf
    low, high = -700.0, 700.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        arrived = -(counts * torch.expm1(-rates * math.exp(middle))).sum()
        low, high = (middle, high) if arrived < wanted else (low, middle)
    return math.exp(high)
