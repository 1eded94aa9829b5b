"""Draws of every item about as many times as its repeat factor says."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import key_of, shuffled, uniforms
from strategies.draw.streams import WholeEpochs, stream_of
from strategies.labels import IGNORED, Labels


class RepeatFactor(WholeEpochs):
    """Item i comes `factors[i]` times an epoch on average, rounded up or down at random in each epoch, in random order.

    >>> RepeatFactor(torch.tensor([1.0, 2.0]), seed=0).take(0, range(3)).sort().values.tolist()
    [0, 1, 1]
    """

    def __init__(self, factors: Tensor, *, seed: int) -> None:
        super().__init__(len(factors), stream_of(seed, factors))
        self.factors = factors.double()

    def make(self, epoch: int) -> Tensor:
        key = key_of(self.stream, epoch)
        chance = uniforms(key, torch.arange(self.items))
        items = torch.repeat_interleave(self.factors.add(chance).floor_().to(torch.int64))
        return items[shuffled(key_of("order", key), len(items))]


def repeat_factors(labels: Labels, threshold: float) -> Tensor:
    """LVIS's factors `(N,)`: the largest `max(1, sqrt(threshold / f_c))` over an item's classes, f_c: share of items with c.

    Gupta, Dollar, Girshick 2019. Items without a label come once.

    >>> repeat_factors(Labels.packed([[0], [0, 1], [0], [0]]), threshold=1.0).tolist()
    [1.0, 2.0, 1.0, 1.0]
    """
    labelled = labels.values != IGNORED
    item, label = labels.item_of_position()[labelled], labels.values[labelled]
    pairs = torch.unique(item * labels.num_classes + label)
    holders = torch.bincount(pairs % labels.num_classes, minlength=labels.num_classes)
    by_class = (threshold * len(labels) / holders.double()).sqrt().clamp_min(1)
    factors = torch.ones(len(labels), dtype=torch.float64)
    return factors.scatter_reduce_(0, item, by_class[label], "amax")
