"""The synthetic items that samplers are timed on: any number of them, in the class mix of CoNLL-2003's tags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from strategies import Labels

CLASS_COUNTS = (169_578, 112_328, 7_140, 6_600, 6_321, 4_528, 3_704, 3_438, 1_157, 1_155)
"""Counts whose shares are the class mix."""
CLASSES = tuple(f"class {number}" for number in range(len(CLASS_COUNTS)))
MEAN_SENTENCE_LENGTH = 20
"""Labels per sentence, on average."""
COLUMNS = 9
"""Columns of the rows that are gathered: as many as a window of words has."""


@dataclass(frozen=True)
class SyntheticItems:
    """A number of items with one label each, the same labels grouped into sentences, and a row of data per item."""

    count: int

    @cached_property
    def labels(self) -> Tensor:
        """One class per item, `(N,)` int64, in random order."""
        cumulative_share = torch.tensor(CLASS_COUNTS, dtype=torch.float64).cumsum(0) / sum(CLASS_COUNTS)
        ends = (cumulative_share * self.count).round().to(torch.int64)
        counts = ends.diff(prepend=ends.new_zeros(1))
        order = torch.randperm(self.count, generator=_seeded_generator())
        return torch.repeat_interleave(counts)[order]

    @cached_property
    def weights(self) -> Tensor:
        """One weight per item, `(N,)` float64, which balance the classes."""
        return self.single_labels.counts().inverse()[self.labels]

    @cached_property
    def single_labels(self) -> Labels:
        """The labels as strategies take them, one per item."""
        return Labels.of(self.labels, CLASSES)

    @cached_property
    def sentences(self) -> Labels:
        """The same N labels, grouped into sentences of 1 to 39."""
        return group_into_sentences(self.labels)

    @cached_property
    def rows(self) -> Tensor:
        """The data that a batch gathers, `(N, 9)` int64."""
        return torch.arange(self.count * COLUMNS).view(self.count, COLUMNS)

    def prepare(self) -> None:
        """Compute all that samplers are built from, so that it is not computed, and timed, when they first ask for it."""
        _ = self.weights, self.single_labels, self.sentences


def group_into_sentences(labels: Tensor) -> Labels:
    """Cut labels into sentences of 1 to 39."""
    lengths = torch.randint(1, 2 * MEAN_SENTENCE_LENGTH, (len(labels),), generator=_seeded_generator())
    ends = lengths.cumsum(0)
    inner_ends = ends[ends < len(labels)]
    offsets = torch.cat([ends.new_zeros(1), inner_ends, ends.new_tensor([len(labels)])])
    return Labels(labels, offsets, CLASSES)


def _seeded_generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
