"""Repeat-factor sampling: every item about as many times per epoch as its repeat factor."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.draw.counter_rng import hash_key, random_order, uniforms
from strategies.draw.streams import EpochStream, make_stream_key
from strategies.labels import IGNORED, Labels


class RepeatFactor(EpochStream):
    """A stream in which item i comes `factors[i]` times per epoch on average, in random order.

    In each epoch a factor is rounded up or down at random, so the length of an epoch varies a little.

    Parameters
    ----------
    factors
        How often each item comes per epoch, `(N,)`, not negative.
    seed
        Any whole number.

    Examples
    --------
    >>> RepeatFactor(torch.tensor([1.0, 2.0]), seed=0).indices_at(0, range(3)).sort().values.tolist()
    [0, 1, 1]
    """

    def __init__(self, factors: Tensor, *, seed: int) -> None:
        super().__init__(len(factors), make_stream_key(seed, factors))
        self.factors = factors.double()

    def generate_epoch(self, epoch: int) -> Tensor:
        epoch_key = hash_key(self.stream_key, epoch)
        chance = uniforms(epoch_key, torch.arange(self.items))
        repeats = self.factors.add(chance).floor_().to(torch.int64)
        items = torch.repeat_interleave(repeats)
        return items[random_order(hash_key("order", epoch_key), len(items))]


def repeat_factors(labels: Labels, threshold: float) -> Tensor:
    """Return the repeat factor of every item, `(N,)` float64: the largest `max(1, sqrt(threshold / f_c))` over its classes.

    f_c is the share of items that hold class c. An item without a label has factor 1. Gupta, Dollar and Girshick (2019).

    >>> repeat_factors(Labels.packed([[0], [0, 1], [0], [0]]), threshold=1.0).tolist()
    [1.0, 2.0, 1.0, 1.0]
    """
    labelled = labels.values != IGNORED
    item, label = labels.item_of_position()[labelled], labels.values[labelled]
    # An item counts once for each of its classes, however often the class occurs in it.
    item_class_pairs = torch.unique(item * labels.num_classes + label)
    items_of_class = torch.bincount(item_class_pairs % labels.num_classes, minlength=labels.num_classes)
    factor_of_class = (threshold * len(labels) / items_of_class.double()).sqrt().clamp_min(1)
    factors = torch.ones(len(labels), dtype=torch.float64)
    return factors.scatter_reduce_(0, item, factor_of_class[label], "amax")
