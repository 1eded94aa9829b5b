"""What remedies read of a data set: the labels of every item, and how often each class occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from strategies.strategy_warning import warn_user

IGNORED = -100
"""The label of a position that is not to be predicted (PAD), as in `torch.nn.functional.cross_entropy`."""

_FEW = 10
"""Classes up to which neither a gap between ids nor more classes than labels are suspicious."""


@dataclass(frozen=True)
class Labels:
    """The labels of N items, one or many each, as class ids from 0.

    Build them with `Labels.of` (one label per item), `Labels.packed` (many) or `Labels.rectangular` (equally many).

    Parameters
    ----------
    values
        Class ids of all positions of all items one after another, `(L,)` int64 on the CPU; `IGNORED` (-100) where a position
        has no label, such as padding.
    offsets
        Where each item begins, `(N + 1,)` int64: item i has the labels `values[offsets[i]:offsets[i + 1]]`.
    class_names
        One name per class, in the order of the ids. Their number is the number of classes, C.

    Raises
    ------
    ValueError
        If a class id is neither `IGNORED` nor from 0 to C - 1.

    Notes
    -----
    A position is a place in an item, whether it has a label or not.

    Examples
    --------
    >>> words = Labels.packed([[0, 1], [0, 1, 1]], class_names=("O", "B-PER"))
    >>> len(words), words.counts().values.tolist()
    (2, [2, 3])
    """

    values: Tensor
    offsets: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        classes = len(self.class_names)
        if not len(self.values):
            return
        lowest, highest = (int(bound) for bound in torch.aminmax(self.values))
        negative = lowest < 0 and bool(((self.values < 0) & (self.values != IGNORED)).any())
        if highest >= classes or negative:
            raise ValueError(
                f"labels must be class ids from 0 to {classes - 1} (or {IGNORED} for a position without a label); "
                f"given: ids from {lowest} to {highest}. Name every class in class_names, or correct the ids."
            )

    @classmethod
    def of(
        cls,
        labels: Tensor | np.ndarray | Sequence[int],
        class_names: Sequence[str] | None = None,
        *,
        ignore_index: int = IGNORED,
    ) -> Labels:
        """Build the labels of items that have one label each.

        Parameters
        ----------
        labels
            One class id per item, `(N,)`, of an integer type.
        class_names
            One name per class, in the order of the ids. By default "0", "1", ... up to the largest id.
        ignore_index
            The id of positions that have no label, such as 255 for "void"; it becomes -100. Default: only -100 itself.

        Raises
        ------
        ValueError
            If `labels` has another shape or type, or ids without a name.

        Examples
        --------
        >>> Labels.of([0, 0, 1], class_names=["healthy", "ill"]).single_label
        True
        """
        values = _one_id_per_item(labels, ignore_index)
        return cls(values, torch.arange(len(values) + 1), _class_names(values, class_names))._warn_of_gap(class_names)

    @classmethod
    def packed(
        cls,
        items: Sequence[Sequence[int] | Tensor | np.ndarray],
        class_names: Sequence[str] | None = None,
        *,
        ignore_index: int = IGNORED,
    ) -> Labels:
        """Build the labels of items that have many labels, such as the tags of sentences, or masks of different sizes.

        Parameters
        ----------
        items
            The class ids of each item, as a sequence, or as a tensor or array of any shape; items may differ in length.
        class_names
            One name per class, in the order of the ids. By default "0", "1", ... up to the largest id.
        ignore_index
            The id of positions that have no label, such as 255 for "void"; it becomes -100. Default: only -100 itself.

        Examples
        --------
        >>> Labels.packed([[0, 1], [0, 1, 1]]).offsets.tolist()
        [0, 2, 5]
        """
        if any(isinstance(item, Tensor | np.ndarray) for item in items):
            pieces = [torch.as_tensor(item).cpu().flatten() for item in items]
            values, sizes = torch.cat(pieces), [len(piece) for piece in pieces]
        else:
            flat = [label for item in items for label in item]
            values, sizes = torch.tensor(flat, dtype=None if flat else torch.int64), [len(item) for item in items]
        if values.is_floating_point() or values.is_complex():
            raise ValueError(f"labels must be class ids, of an integer type; given: {values.dtype}")
        values = _with_ignored(values.to(torch.int64), ignore_index)
        lengths = torch.tensor([0, *sizes], dtype=torch.int64)
        return cls(values, lengths.cumsum(0), _class_names(values, class_names))._warn_of_gap(class_names)

    @classmethod
    def rectangular(
        cls, labels: Tensor | np.ndarray, class_names: Sequence[str] | None = None, *, ignore_index: int = IGNORED
    ) -> Labels:
        """Build the labels of items that have equally many labels, such as padded sentences, or masks of one size.

        Parameters
        ----------
        labels
            Class ids of an integer type, `(N, ...)`, such as `(N, P)` for sentences or `(N, H, W)` for masks; -100 for padding.
        class_names
            One name per class, in the order of the ids. By default "0", "1", ... up to the largest id.
        ignore_index
            The id of positions that have no label, such as 255 for "void"; it becomes -100. Default: only -100 itself.

        Examples
        --------
        >>> Labels.rectangular(torch.tensor([[0, 1], [1, -100]])).counts().values.tolist()
        [1, 2]
        """
        given = torch.as_tensor(labels)
        if given.ndim < 2 or given.is_floating_point() or given.is_complex():
            raise ValueError(
                f"labels must be class ids of an integer type, (N, ...), with several positions per item; given: shape "
                f"{tuple(given.shape)}, {given.dtype}. For one class id per item use Labels.of."
            )
        values = _with_ignored(given.to("cpu", torch.int64).flatten(), ignore_index)
        positions = given[0].numel() if len(given) else 0
        return cls(values, torch.arange(len(given) + 1) * positions, _class_names(values, class_names))._warn_of_gap(
            class_names
        )

    @classmethod
    def concatenated(cls, parts: Sequence[Labels]) -> Labels:
        """Join the labels of several data sets, one after another; class names are those of the part with the most classes.

        >>> Labels.concatenated([Labels.of([0, 1]), Labels.packed([[2, 0]])]).offsets.tolist()
        [0, 1, 2, 4]
        """
        lengths = torch.cat([torch.zeros(1, dtype=torch.int64), *(part.positions for part in parts)])
        names = max((part.class_names for part in parts), key=len, default=())
        values = torch.cat([torch.empty(0, dtype=torch.int64), *(part.values for part in parts)])
        return cls(values, lengths.cumsum(0), names)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.offsets) - 1

    @property
    def num_classes(self) -> int:
        """Number of classes, whether they occur or not."""
        return len(self.class_names)

    @property
    def positions(self) -> Tensor:
        """Number of positions of each item, `(N,)`."""
        return self.offsets.diff()

    @property
    def single_label(self) -> bool:
        """Whether every item has exactly one position, so that `values` is the class of each item."""
        return len(self.values) == len(self) and bool((self.offsets[1:] > self.offsets[:-1]).all())

    def item_of_position(self) -> Tensor:
        """Return the item that each position belongs to, `(L,)`."""
        return torch.repeat_interleave(torch.arange(len(self)), self.positions)

    def per_position(self, class_values: Tensor) -> Tensor:
        """Return the value of each position's class, `class_values (C,)` -> `(L,)`; 0 where a position has no label."""
        return torch.where(self.values >= 0, class_values[self.values.clamp_min(0)], 0.0)

    def counts(self) -> ClassCounts:
        """Return how often each class occurs among the labels (not the items)."""
        return self._counts

    @cached_property
    def _counts(self) -> ClassCounts:
        labelled = self.values
        if len(labelled) and int(labelled.min()) < 0:
            labelled = labelled[labelled != IGNORED]
        return ClassCounts(torch.bincount(labelled, minlength=self.num_classes), self.class_names)

    def _warn_of_gap(self, class_names: Sequence[str] | None) -> Labels:
        """Warn if classes are not named and the highest id follows the others after a long gap: it may mark what has no label."""
        if class_names is not None or self.num_classes <= _FEW:
            return self
        ids = self.counts().values.nonzero().flatten().tolist()
        if len(ids) > 1 and ids[-1] - ids[-2] > max(_FEW, len(ids)):
            highest, next_highest = ids[-1], ids[-2]
            warn_user(
                f"class {highest} is counted as a class of its own, although no label is between it and {next_highest}. If it "
                f"marks what has no label, such as void: ignore_index={highest}. If it is a class, map ids to 0, 1, 2, ..., or "
                "name all classes in class_names."
            )
        return self

    def take(self, index: Tensor) -> Labels:
        """Return the labels of the items `index (M,)`, which may hold an item several times."""
        lengths = self.positions[index]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        place_in_item = torch.arange(int(offsets[-1])) - torch.repeat_interleave(offsets[:-1], lengths)
        item_begin = torch.repeat_interleave(self.offsets[:-1][index], lengths)
        return Labels(self.values[item_begin + place_in_item], offsets, self.class_names)

    def without(self, ignore_index: int) -> Labels:
        """Return the labels with -100 in place of one class id."""
        return Labels(_with_ignored(self.values, ignore_index), self.offsets, self.class_names)

    def rarest_class(self, counts: ClassCounts) -> Tensor:
        """Return the class of each item that is the rarest by `counts`, `(N,)`; -1 for an item without a label.

        It is the class that an item with many labels is sampled for.
        """
        order = torch.argsort(counts.values, stable=True)
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        labelled = self.values != IGNORED
        # The rank of an item without a label is one beyond the last class; it is looked up as -1 below.
        lowest_rank = torch.full((len(self),), len(order), dtype=torch.int64)
        lowest_rank.scatter_reduce_(0, self.item_of_position()[labelled], rank[self.values[labelled]], "amin")
        return torch.cat([order, order.new_tensor([-1])])[lowest_rank]


@dataclass(frozen=True)
class ClassCounts:
    """How many labels of each class the training data has, before any resampling.

    Build them with `ClassCounts.of(labels)`, `ClassCounts.from_counts(numbers)`, or `Labels.counts()`.

    Parameters
    ----------
    values
        Number of labels of each class, `(C,)` int64; `(S, C)` for a stack of S runs that are trained together.
    class_names
        One name per class, in the order of the ids.

    Examples
    --------
    >>> ClassCounts.of([0, 0, 2]).values.tolist()
    [2, 0, 1]
    """

    values: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.values, Tensor) or self.values.shape[-1:] != (len(self.class_names),):
            given = tuple(self.values.shape) if isinstance(self.values, Tensor) else type(self.values).__name__
            raise ValueError(
                f"counts are a tensor (C,) or (S, C) with one of the {len(self.class_names)} class names per column; given: "
                f"{given}. Use ClassCounts.from_counts(numbers), or ClassCounts.of(labels)."
            )

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[Any, int] | Tensor | np.ndarray | Sequence[int],
        class_names: Sequence[str] | None = None,
    ) -> ClassCounts:
        """Take numbers of labels that are counted already, such as `torch.bincount(labels)`.

        Parameters
        ----------
        counts
            How many labels each class has: one whole number per class, `(C,)`, in the order of the ids; or a mapping, also a
            `Counter` or what `value_counts()` of pandas returns, from class ids, or from class names if `class_names` are given.
        class_names
            One name per class, in the order of the ids; a class that a mapping lacks has a count of 0. By default "0", "1", ...

        Raises
        ------
        ValueError
            If a number is negative or not whole, all are 0, or there are other classes than names.

        Examples
        --------
        >>> ClassCounts.from_counts([9000, 900, 100]).prior()
        tensor([0.9000, 0.0900, 0.0100], dtype=torch.float64)
        >>> ClassCounts.from_counts({"B-PER": 3, "O": 97}, class_names=["O", "B-PER"]).values
        tensor([97,  3])
        """
        by_class = counts.to_dict() if hasattr(counts, "to_dict") else counts  # of a pandas Series
        if isinstance(by_class, Mapping):
            by_class = _in_order(by_class, class_names)
        try:
            values = torch.as_tensor(by_class).cpu()
        except (TypeError, ValueError, RuntimeError):
            values = torch.empty(0)
        names = (
            tuple(str(c) for c in range(len(values)))
            if class_names is None and values.ndim
            else tuple(class_names or ())
        )
        whole = not values.is_floating_point() and not values.is_complex() and values.dtype != torch.bool
        if values.ndim != 1 or not len(values) or not whole or int(values.min()) < 0 or int(values.max()) == 0:
            raise ValueError(
                "counts must be one whole number of labels per class, (C,), none negative and not all 0; given: "
                f"{counts!r}. ClassCounts.of(labels) counts class ids."
            )
        return cls(values.to(torch.int64), names)

    @classmethod
    def of(
        cls,
        labels: Tensor | np.ndarray | Sequence[int],
        class_names: Sequence[str] | None = None,
        *,
        ignore_index: int = IGNORED,
    ) -> ClassCounts:
        """Count `labels (N,)`, one class id per item.

        Parameters
        ----------
        labels
            One class id per item, `(N,)`, of an integer type; -100 is not counted. For items with many labels use
            `Labels.packed(items).counts()`.
        class_names
            One name per class, in the order of the ids; gives a class that does not occur a count of 0. By default "0",
            "1", ... up to the largest id.
        ignore_index
            The id of positions that have no label, such as 255 for "void"; it becomes -100. Default: only -100 itself.

        Raises
        ------
        ValueError
            If `labels` has another shape or type, or ids without a name, or there would be more classes than labels, as when
            numbers of labels are given instead of labels.
        """
        values = _one_id_per_item(labels, ignore_index)
        if class_names is None and len(values) and (highest := int(values.max())) >= max(_FEW, len(values)):
            raise ValueError(
                f"ClassCounts.of counts class ids; given: {len(values)} of them, up to {highest}, so more classes than labels. "
                "If they are numbers of labels, one per class: ClassCounts.from_counts(numbers). If they are class ids, name all "
                "classes: ClassCounts.of(labels, class_names)."
            )
        return Labels.of(values, class_names).counts()

    @classmethod
    def stack(cls, counts: Sequence[ClassCounts]) -> ClassCounts:
        """Stack the counts of S runs over one set of classes, each `(C,)`, to `(S, C)`."""
        return cls(torch.stack([run_counts.values for run_counts in counts]), counts[0].class_names)

    @property
    def num_classes(self) -> int:
        """Number of classes, whether they occur or not."""
        return self.values.shape[-1]

    @property
    def majority(self) -> Tensor:
        """The most frequent class, `()` or `(S,)`; the first of several equally frequent ones."""
        return self.values.argmax(-1)

    def prior(self) -> Tensor:
        """Return the share of each class, `(..., C)` float64."""
        counts = self.values.to(torch.float64)
        return counts / counts.sum(-1, keepdim=True).clamp_min(1)

    def at_least_one(self) -> Tensor:
        """Return the counts, `(..., C)` float64, with 1 for a class that does not occur: its logarithm is then finite."""
        return self.values.to(torch.float64).clamp_min(1)

    def log_prior(self) -> Tensor:
        """Return `log(n_c / N)`, `(..., C)` float64; a class that does not occur counts as one label."""
        counts = self.at_least_one()
        return counts.log() - counts.sum(-1, keepdim=True).log()

    def inverse(self, power: float = 1.0) -> Tensor:
        """Return the class weights `(N / (C n_c))^power`, `(..., C)` float64.

        They are 0 for a class that does not occur, as none of its items can be sampled.

        >>> ClassCounts.of([0, 0, 0, 1]).inverse()
        tensor([0.6667, 2.0000], dtype=torch.float64)
        """
        counts = self.values.to(torch.float64)
        share = counts.sum(-1, keepdim=True) / (self.num_classes * counts.clamp_min(1))
        return torch.where(counts > 0, share**power, 0.0)

    def effective_number(self, beta: float) -> Tensor:
        """Return the class weights `(1 - beta) / (1 - beta^n_c)`, scaled to average 1 over the classes that occur.

        Parameters
        ----------
        beta
            From 0, which gives equal weights, to below 1, where the weights approach inverse counts.

        Returns
        -------
        Tensor
            `(..., C)` float64, 0 for a class that does not occur. The weights sum to C if all classes occur.

        References
        ----------
        Cui et al. (2019), "Class-balanced loss based on effective number of samples", CVPR.

        Examples
        --------
        >>> ClassCounts.of([0, 0, 1]).effective_number(0.5)
        tensor([0.8000, 1.2000], dtype=torch.float64)
        """
        occurs = self.values > 0
        # expm1(n log(beta)) and not 1 - beta**n, which loses all its digits where beta is close to 1.
        log_powers = self.at_least_one() * torch.tensor(beta, dtype=torch.float64, device=self.values.device).log()
        weights = torch.where(occurs, -1 / torch.expm1(log_powers), 0.0)
        return weights * (occurs.sum(-1, keepdim=True) / weights.sum(-1, keepdim=True).clamp_min(1))


def _one_id_per_item(labels: Tensor | np.ndarray | Sequence[int], ignore_index: int) -> Tensor:
    """Return the class ids as int64 on the CPU, `(N,)`."""
    try:
        values = labels if isinstance(labels, Tensor) else torch.as_tensor(np.require(labels, requirements="W"))
    except (TypeError, ValueError):
        raise ValueError(
            f"labels must be one class id per item, a whole number from 0; given: {type(labels).__name__}. Map class names to "
            "ids; for items with many labels use Labels.packed."
        ) from None
    if values.ndim != 1 or values.is_floating_point() or values.is_complex():
        raise ValueError(
            f"labels must be one class id per item, shape (N,), of an integer type; given: shape "
            f"{tuple(values.shape)}, {values.dtype}. For items with many labels use Labels.packed."
        )
    return _with_ignored(values.to("cpu", torch.int64), ignore_index)


def _with_ignored(values: Tensor, ignore_index: int) -> Tensor:
    """Return the ids with `IGNORED` in place of `ignore_index`."""
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer):
        raise ValueError(f"ignore_index must be one class id, such as 255; given: {ignore_index!r}")
    return values if ignore_index == IGNORED else values.masked_fill(values == ignore_index, IGNORED)


def _class_names(values: Tensor, given: Sequence[str] | None) -> tuple[str, ...]:
    if given is not None:
        return tuple(given)
    classes = max(0, int(values.max()) + 1) if len(values) else 0
    if classes > max(1_000_000, len(values)):
        raise ValueError(
            f"class ids must count from 0; given: ids up to {classes - 1} for {len(values)} labels. "
            "Map them: classes, labels = torch.unique(labels, return_inverse=True)"
        )
    return tuple(str(c) for c in range(classes))


def _in_order(counts: Mapping[Any, int], class_names: Sequence[str] | None) -> list[int]:
    """Return the counts by id of a mapping from ids, or from `class_names`."""
    keys: Sequence[Any]
    if any(isinstance(key, str) for key in counts):
        if class_names is None:
            raise ValueError(
                "counts by name need class_names, the names in the order of the class ids; "
                f"given: {', '.join(map(str, counts))}"
            )
        keys = list(class_names)
    else:
        keys = range(max(map(int, counts), default=-1) + 1 if class_names is None else len(class_names))
    if unknown := [str(key) for key in counts if key not in keys]:
        raise ValueError(f"counts of unknown classes: {', '.join(unknown)}; known: {', '.join(map(str, keys))}")
    return [counts.get(key, 0) for key in keys]
