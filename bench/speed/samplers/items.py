"""The items that samplers are timed on: any number, in the class mix of CoNLL-2003's tags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from strategies import Labels

MIX = (169_578, 112_328, 7_140, 6_600, 6_321, 4_528, 3_704, 3_438, 1_157, 1_155)
CLASSES = tuple(f"class {place}" for place in range(len(MIX)))
SENTENCE = 20
"""Labels of a sentence, on average."""
COLUMNS = 9
"""Columns of the rows that are gathered: a window of words."""


@dataclass(frozen=True)
class Items:
    """`items` items of one label each; the same labels as sentences; a row for each item."""

    items: int

    @cached_property
    def labels(self) -> Tensor:
        """One class an item, `(N,)` int64, in random order."""
        share = torch.tensor(MIX, dtype=torch.float64).cumsum(0) / sum(MIX)
        ends = (share * self.items).round().to(torch.int64)
        order = torch.randperm(self.items, generator=_generator())
        return torch.repeat_interleave(ends.diff(prepend=ends.new_zeros(1)))[order]

    @cached_property
    def weights(self) -> Tensor:
        """Weights that balance the classes, `(N,)` float64."""
        return self.one_each.counts().inverse()[self.labels]

    @cached_property
    def one_each(self) -> Labels:
        """The labels as strategies take them."""
        return Labels.of(self.labels, CLASSES)

    @cached_property
    def sentences(self) -> Labels:
        """The same N labels in sentences of 1 to 39."""
        return sentences(self.labels)

    def read(self) -> None:
        """Makes all that samplers are built from, which otherwise is made when it is first asked for."""
        _ = self.weights, self.one_each, self.sentences

    @cached_property
    def rows(self) -> Tensor:
        """What a batch gathers, `(N, 9)` int64."""
        return torch.arange(self.items * COLUMNS).view(self.items, COLUMNS)


def sentences(labels: Tensor) -> Labels:
    """Labels cut into sentences of 1 to 39."""
    lengths = torch.randint(1, 2 * SENTENCE, (len(labels),), generator=_generator())
    ends = lengths.cumsum(0)
    inside = ends[ends < len(labels)]
    return Labels(labels, torch.cat([ends.new_zeros(1), inside, ends.new_tensor([len(labels)])]), CLASSES)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
