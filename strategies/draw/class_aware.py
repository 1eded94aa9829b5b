"""Draws that go round the classes, and round the items of each."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import key_of, words
from strategies.draw.streams import WholeEpochs, stream_of


class ClassAware(WholeEpochs):
    """Classes come in rounds, each once a round in random order; a class hands out its next `each` items, then begins anew.

    An item of a class comes again only when all of its class have come, in another order each time. Both cycles go on
    across epochs; an epoch is as many whole rounds as come nearest to an item once, from below. `classes (N,)` are class
    ids, negative for an item that is never drawn.

    >>> drawn = ClassAware(torch.tensor([0, 0, 0, 1]), each=1, seed=0).take(0, range(4))
    >>> drawn.tolist().count(3), len(set(drawn.tolist()))
    (2, 3)
    """

    def __init__(self, classes: Tensor, *, each: int, seed: int) -> None:
        super().__init__(len(classes), stream_of(seed, classes, torch.tensor([each])))
        order = torch.argsort(classes, stable=True)
        self.members = [found for found in _runs(order, classes[order]) if int(classes[found[0]]) >= 0]
        self.each, self.rounds = each, max(1, len(classes) // (each * len(self.members)))

    def length(self, epoch: int) -> int:
        return self.rounds * self.each * len(self.members)

    def make(self, epoch: int) -> Tensor:
        begin, count = epoch * self.rounds, len(self.members)
        order = _orders(key_of(self.stream, "classes"), count, begin, begin + self.rounds)
        steps = (begin * self.each, (begin + self.rounds) * self.each)
        drawn = torch.stack([self._of_class(c, *steps) for c in range(count)]).view(count, self.rounds, self.each)
        return drawn[order, torch.arange(self.rounds)[:, None]].flatten()

    def _of_class(self, c: int, begin: int, end: int) -> Tensor:
        """What the class hands out from its step `begin` on, `(end - begin,)`."""
        members = self.members[c]
        first, last = begin // len(members), -(-end // len(members))
        handed = _orders(key_of(self.stream, "items", c), len(members), first, last).flatten()
        return members[handed[begin - first * len(members) : end - first * len(members)]]


def _runs(items: Tensor, of: Tensor) -> list[Tensor]:
    """The stretches of `items (N,)` in which the sorted `of (N,)` is the same."""
    return list(torch.split(items, torch.unique_consecutive(of, return_counts=True)[1].tolist()))


def _orders(key: int, n: int, begin: int, end: int) -> Tensor:
    """The random orders of 0 to n - 1 that have the numbers `begin` to `end`, `(end - begin, n)`."""
    return words(key, torch.arange(begin * n, end * n)).view(-1, n).argsort(dim=1)
