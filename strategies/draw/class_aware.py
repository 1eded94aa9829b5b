"""Class-aware sampling: cycle through the classes, and through the items of each."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import hash_key, words
from strategies.draw.streams import EpochStream, make_stream_key


class ClassAware(EpochStream):
    """A stream of rounds: every class comes once per round, in random order, and contributes its next `each` items.

    An item of a class comes again only after all items of its class have come, in another random order each time. Both
    cycles continue across epochs. An epoch is the largest number of whole rounds that samples no more items than the data
    set has, but at least one round.

    Parameters
    ----------
    classes
        Class id of every item, `(N,)`; negative for an item that is never sampled.
    each
        Number of items that a class contributes per round.
    seed
        Any whole number.

    Examples
    --------
    >>> index = ClassAware(torch.tensor([0, 0, 0, 1]), each=1, seed=0).indices_at(0, range(4))
    >>> index.tolist().count(3), len(set(index.tolist()))
    (2, 3)
    """

    def __init__(self, classes: Tensor, *, each: int, seed: int) -> None:
        super().__init__(len(classes), make_stream_key(seed, classes, torch.tensor([each])))
        order = torch.argsort(classes, stable=True)
        items_of_classes = _split_runs(order, classes[order])
        self.members = [items for items in items_of_classes if int(classes[items[0]]) >= 0]
        self.each, self.rounds = each, max(1, len(classes) // (each * len(self.members)))

    def length(self, epoch: int) -> int:
        return self.rounds * self.each * len(self.members)

    def generate_epoch(self, epoch: int) -> Tensor:
        first_round, num_classes = epoch * self.rounds, len(self.members)
        class_order = _random_orders(
            hash_key(self.stream_key, "classes"), num_classes, first_round, first_round + self.rounds
        )
        first, stop = first_round * self.each, (first_round + self.rounds) * self.each
        items = torch.stack([self._items_of_class(c, first, stop) for c in range(num_classes)])
        by_round = items.view(num_classes, self.rounds, self.each)
        return by_round[class_order, torch.arange(self.rounds)[:, None]].flatten()

    def _items_of_class(self, c: int, first: int, stop: int) -> Tensor:
        """Return the items that class c contributes at steps `first` to `stop - 1` of its endless cycle, `(stop - first,)`."""
        members = self.members[c]
        first_cycle, stop_cycle = first // len(members), -(-stop // len(members))
        key = hash_key(self.stream_key, "items", c)
        cycles = _random_orders(key, len(members), first_cycle, stop_cycle).flatten()
        offset = first_cycle * len(members)
        return members[cycles[first - offset : stop - offset]]


def _split_runs(items: Tensor, values: Tensor) -> list[Tensor]:
    """Split `items (N,)` where the sorted `values (N,)` change."""
    lengths = torch.unique_consecutive(values, return_counts=True)[1]
    return list(torch.split(items, lengths.tolist()))


def _random_orders(key: int, n: int, first: int, stop: int) -> Tensor:
    """Return the random orders of 0 to n - 1 that have the numbers `first` to `stop - 1`, `(stop - first, n)`."""
    return words(key, torch.arange(first * n, stop * n)).view(-1, n).argsort(dim=1)
