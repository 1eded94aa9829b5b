"""Draws without replacement, as a race: items arrive after exponential times at rates of their weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from strategies.draw.counter_rng import key_of, uniforms
from strategies.draw.streams import PIECE, WholeEpochs, stream_of


class Race(WholeEpochs):
    """The `draws` items that arrive first, in the order of arrival: successive draws without replacement, by `weights (N,)`.

    Efraimidis & Spirakis 2006; the same law as `torch.multinomial(weights, draws, replacement=False)`.

    >>> sorted(Race(torch.tensor([1.0, 2.0, 0.0, 5.0]), draws=3, seed=0).take(0, range(3)).tolist())
    [0, 1, 3]
    """

    def __init__(self, weights: Tensor, *, draws: int, seed: int) -> None:
        super().__init__(len(weights), stream_of(seed, weights))
        self.weights, self.draws = weights.double() / weights.max(), draws

    def length(self, epoch: int) -> int:
        return self.draws

    def make(self, epoch: int) -> Tensor:
        arrival = _exponential(uniforms(key_of(self.stream, epoch), torch.arange(self.items))).div_(self.weights)
        if self.draws == self.items:
            return arrival.argsort()
        return arrival.topk(self.draws, largest=False, sorted=True).indices


class ClassRace(WholeEpochs):
    """The same where weights are constant inside a class: only who can be among the first is timed and sorted.

    `rates (C,)` is the weight of an item of each class; negative classes and rate 0 never arrive.
    """

    def __init__(self, classes: Tensor, rates: Tensor, *, draws: int, seed: int) -> None:
        super().__init__(len(classes), stream_of(seed, classes, rates))
        self.draws = draws
        self.rates = torch.cat(
            [rates.double() / rates.max(), torch.zeros(1, dtype=torch.float64)]
        )  # the last is class -1's
        self.classes = torch.where(classes < 0, len(rates), classes).to(torch.int32)
        self.horizon = _horizon(self.rates, torch.bincount(self.classes, minlength=len(self.rates)), draws)

    def length(self, epoch: int) -> int:
        return self.draws

    def make(self, epoch: int) -> Tensor:
        key, horizon = key_of(self.stream, epoch), self.horizon
        while True:
            early, uniform = self._early(key, horizon)
            if len(early) >= self.draws:
                arrival = _exponential(uniform) / self.rates[self.classes[early]]
                return early[arrival.argsort()[: self.draws]]
            horizon *= 2

    def _early(self, key: int, horizon: float) -> tuple[Tensor, Tensor]:
        """The items that arrive by the horizon, and their uniform numbers."""
        in_time = torch.where(self.rates > 0, -torch.expm1(-self.rates * horizon), 0)
        found = []
        for at in range(0, self.items, PIECE):
            items = torch.arange(at, min(at + PIECE, self.items))
            uniform = uniforms(key, items)
            early = torch.nonzero(uniform < in_time.index_select(0, self.classes[at : at + PIECE])).flatten()
            found.append((items[early], uniform[early]))
        items, uniform = (torch.cat(each) for each in zip(*found, strict=True))
        return items, uniform


def _exponential(uniform: Tensor) -> Tensor:
    """Exponential times of rate 1; the nudge by half a unit keeps 0, and so a certain first place, out."""
    return uniform.add(2.0**-54).neg_().log1p_().neg_()


def _horizon(rates: Tensor, counts: Tensor, draws: int) -> float:
    """A time by which `draws` items have arrived almost surely, and not many more."""
    wanted = draws + 6 * math.sqrt(draws) + 10
    if wanted >= counts[rates > 0].sum():
        return math.inf
    low, high = -700.0, 700.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        arrived = -(counts * torch.expm1(-rates * math.exp(middle))).sum()
        low, high = (middle, high) if arrived < wanted else (low, middle)
    return math.exp(high)
