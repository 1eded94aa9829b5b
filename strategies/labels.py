"""What remedies read of a data set: the labels of every item, and how often each class occurs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

IGNORED = -100
"""The target of a position that is not a label (PAD), as in `torch.nn.functional.cross_entropy`."""


@dataclass(frozen=True)
class Labels:
    """The labels of N items, packed: item i owns `values[offsets[i]:offsets[i + 1]]`.

    `values (L,)` int64 holds class ids, or `IGNORED` where a position carries no label; `offsets (N + 1,)` int64.
    A position is a place in an item, labelled or not.

    >>> words = Labels.packed([[0, 1], [0, 1, 1]], class_names=("O", "B-PER"))
    >>> len(words), words.counts().values.tolist()
    (2, [2, 3])
    """

    values: Tensor
    offsets: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        classes = len(self.class_names)
        if len(self.values):
            lowest, highest = (int(each) for each in torch.aminmax(self.values))
            if highest >= classes or (lowest < 0 and bool(((self.values < 0) & (self.values != IGNORED)).any())):
                raise ValueError(
                    f"labels must be class ids from 0 to {classes - 1} (or {IGNORED} for a position without a label); "
                    f"given: ids from {lowest} to {highest}. Name every class in class_names, or mend the ids."
                )

    @classmethod
    def of(cls, labels: Tensor | np.ndarray | Sequence[int], class_names: Sequence[str] | None = None) -> Labels:
        """One label an item: `labels (N,)`."""
        values = torch.as_tensor(np.asarray(labels) if not isinstance(labels, Tensor) else labels)
        if values.ndim != 1 or values.is_floating_point():
            raise ValueError(
                f"labels must be one class id an item, shape (N,), of an integer type; given: shape "
                f"{tuple(values.shape)}, {values.dtype}. For items with many labels use Labels.packed."
            )
        values = values.to("cpu", torch.int64)
        return cls(values, torch.arange(len(values) + 1), _names(values, class_names))

    @classmethod
    def packed(cls, items: Sequence[Sequence[int]], class_names: Sequence[str] | None = None) -> Labels:
        """Many labels an item: one sequence of class ids for each."""
        values = torch.tensor([label for item in items for label in item], dtype=torch.int64)
        lengths = torch.tensor([0, *map(len, items)], dtype=torch.int64)
        return cls(values, lengths.cumsum(0), _names(values, class_names))

    @classmethod
    def rectangular(cls, labels: Tensor | np.ndarray, class_names: Sequence[str] | None = None) -> Labels:
        """Equally many labels an item: `labels (N, P)`."""
        values = torch.as_tensor(labels).to("cpu", torch.int64)
        items, positions = values.shape
        return cls(values.flatten(), torch.arange(items + 1) * positions, _names(values.flatten(), class_names))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def positions(self) -> Tensor:
        """Positions of each item (N,)."""
        return self.offsets.diff()

    @property
    def one_each(self) -> bool:
        """Whether every item carries exactly one position, so that `values` is the class of each item."""
        return len(self.values) == len(self) and bool((self.offsets[1:] > self.offsets[:-1]).all())

    def item_of_position(self) -> Tensor:
        """The item that owns each position (L,)."""
        return torch.repeat_interleave(torch.arange(len(self)), self.positions)

    def look_up(self, of_class: Tensor) -> Tensor:
        """The number of each position's class, `of_class (C,)` -> `(L,)`; 0 where a position carries no label."""
        return torch.where(self.values >= 0, of_class[self.values.clamp_min(0)], 0.0)

    def counts(self) -> ClassCounts:
        """How often each class occurs among the labels (not the items)."""
        labelled = self.values
        if len(labelled) and int(labelled.min()) < 0:
            labelled = labelled[labelled != IGNORED]
        return ClassCounts(torch.bincount(labelled, minlength=self.num_classes), self.class_names)

    def take(self, index: Tensor) -> Labels:
        """The labels of the items `index (M,)`, repeats allowed."""
        lengths = self.positions[index]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        within = torch.arange(int(offsets[-1])) - torch.repeat_interleave(offsets[:-1], lengths)
        position = torch.repeat_interleave(self.offsets[:-1][index], lengths) + within
        return Labels(self.values[position], offsets, self.class_names)

    def rarest(self, counts: ClassCounts) -> Tensor:
        """Each item's rarest class (N,): the class an item with many labels is sampled for; -1 for an item without a label."""
        order = torch.argsort(counts.values, stable=True)
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        labelled = self.values != IGNORED
        best = torch.full((len(self),), len(order), dtype=torch.int64)
        best.scatter_reduce_(0, self.item_of_position()[labelled], rank[self.values[labelled]], "amin")
        return torch.cat([order, order.new_tensor([-1])])[best]


@dataclass(frozen=True)
class ClassCounts:
    """Labels of each class in the training part before any resampling: `values (C,)`, or `(S, C)` for a stack of S trainings.

    >>> ClassCounts.of([0, 0, 2]).values.tolist()
    [2, 0, 1]
    """

    values: Tensor
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, labels: Tensor | np.ndarray | Sequence[int], class_names: Sequence[str] | None = None) -> ClassCounts:
        """Counts of `labels (N,)`, one class id an item."""
        return Labels.of(labels, class_names).counts()

    @classmethod
    def stack(cls, counts: Sequence[ClassCounts]) -> ClassCounts:
        """Counts of several trainings on one set of classes, `(S, C)`."""
        return cls(torch.stack([each.values for each in counts]), counts[0].class_names)

    @property
    def num_classes(self) -> int:
        return self.values.shape[-1]

    @property
    def majority(self) -> Tensor:
        """The most frequent class, `()` or `(S,)`; the first of equals."""
        return self.values.argmax(-1)

    def prior(self) -> Tensor:
        """The share of each class, `(..., C)` float64."""
        counts = self.values.to(torch.float64)
        return counts / counts.sum(-1, keepdim=True).clamp_min(1)

    def at_least_one(self) -> Tensor:
        """Counts, `(..., C)` float64, where a class that does not occur counts as one label: so no logarithm is infinite."""
        return self.values.to(torch.float64).clamp_min(1)

    def log_prior(self) -> Tensor:
        """`log(n_c / N)`, `(..., C)` float64; a class that does not occur counts as one label."""
        counts = self.at_least_one()
        return counts.log() - counts.sum(-1, keepdim=True).log()

    def inverse(self, power: float = 1.0) -> Tensor:
        """Weights `N / (C n_c)` to the `power`, `(..., C)` float64; 0 for a class that does not occur, which nothing can draw."""
        counts = self.values.to(torch.float64)
        share = counts.sum(-1, keepdim=True) / (self.num_classes * counts.clamp_min(1))
        return torch.where(counts > 0, share**power, 0.0)

    def effective_number(self, beta: float) -> Tensor:
        """Weights `(1 - beta) / (1 - beta^n_c)`, beta in [0, 1), scaled to average 1 over the classes that occur, so that they
        sum to C where all do: `(..., C)` float64, 0 for a class that does not occur. Cui et al. (2019), CVPR.

        >>> ClassCounts.of([0, 0, 1]).effective_number(0.5)
        tensor([0.8000, 1.2000], dtype=torch.float64)
        """
        occurs = self.values > 0
        # Not 1 - beta**n, which loses all its digits where beta is close to 1.
        powers = self.at_least_one() * torch.tensor(beta, dtype=torch.float64, device=self.values.device).log()
        weights = torch.where(occurs, -1 / torch.expm1(powers), 0.0)
        return weights * (occurs.sum(-1, keepdim=True) / weights.sum(-1, keepdim=True).clamp_min(1))


def _names(values: Tensor, given: Sequence[str] | None) -> tuple[str, ...]:
    if given is not None:
        return tuple(given)
    classes = int(values.max()) + 1 if len(values) else 0
    if classes > max(1_000_000, len(values)):
        raise ValueError(
            f"class ids must count from 0; given: ids up to {classes - 1} for {len(values)} labels. "
            "Map them: classes, labels = torch.unique(labels, return_inverse=True)"
        )
    return tuple(str(c) for c in range(classes))
