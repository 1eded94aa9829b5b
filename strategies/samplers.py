"""Samplers to put in the place of PyTorch's: class-balanced, by weight, by sentence, by repeat factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from strategies.class_mix import power_shares
from strategies.dataset_labels import labels_of
from strategies.draw.by_class import ByClass
from strategies.draw.by_weight import ByWeight
from strategies.draw.index_sampler import IndexSampler
from strategies.draw.progressive import Progressive
from strategies.draw.repeat_factor import RepeatFactor, repeat_factors
from strategies.draw.sentence_weights import sentence_weights
from strategies.draw.streams import Draws, whole
from strategies.draw.systematic import Systematic
from strategies.draw.without_replacement import ClassRace, Race


class ClassBalancedSampler(IndexSampler):
    """Draws class c with probability in proportion to `n_c^power`, then a member: 0 balances, 0.5 is the square root, 1 natural.

    `labels` are one class id an item `(N,)`, or the data set that holds them (`Subset`s of one, too); class -100 is never drawn.
    `progressive=n` moves from the natural mix to `power`'s over the first n draws (Kang et al. 2020). `num_samples` draws are an
    epoch, N if not given; without replacement they must be fewer, for all N items are the natural mix again. Sharding and
    epochs: `IndexSampler`.

    >>> sampler = ClassBalancedSampler([0] * 90 + [1] * 10, seed=0)
    >>> index = next(iter(sampler.batches(64)))
    >>> index.shape, len(sampler)
    (torch.Size([64]), 100)
    """

    def __init__(
        self,
        labels: Any,
        *,
        power: float = 0.0,
        progressive: int | None = None,
        num_samples: int | None = None,
        replacement: bool = True,
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        found = labels_of(labels, "ClassBalancedSampler")
        if not found.one_each:
            raise ValueError(
                "ClassBalancedSampler needs one label an item; given: items with many. "
                "Use SentenceSampler or RepeatFactorSampler for these."
            )
        classes, counts = found.values, found.counts().values
        drawable = int(counts.sum())
        if not drawable:
            raise ValueError(
                "ClassBalancedSampler needs labelled items to draw; given: none. Give labels of classes from 0."
            )
        draws: Draws
        wanted = _checked(num_samples, len(found), replacement, drawable)
        shares = power_shares(counts, power)
        if not replacement:
            if num_samples is None or num_samples == drawable:
                raise ValueError(
                    f"replacement=False with num_samples={num_samples} would draw all {drawable} items once: the natural mix. "
                    "Give a smaller num_samples, or draw with replacement."
                )
            if progressive is not None:
                raise ValueError("progressive needs replacement=True; given: replacement=False")
            draws = ClassRace(classes, shares / counts.clamp_min(1), draws=wanted, seed=seed)
        else:
            draws = ByClass(classes, counts, shares, draws=wanted, seed=seed)
            if progressive is not None:
                natural = ByClass(classes, counts, counts.double(), draws=wanted, seed=seed)
                draws = Progressive(natural, draws, over=whole("progressive", progressive))
        super().__init__(draws, num_replicas=num_replicas, rank=rank, drop_last=drop_last)


class WeightedSampler(IndexSampler):
    """Draws item i in proportion to `weights[i]`: a drop-in for `torch.utils.data.WeightedRandomSampler`.

    `weights (N,)` are of the *items*, not of the classes: finite, not negative, not all 0. `method="systematic"` draws each item
    the floor or ceiling of its expected number of times: less noise, but draws that are not independent.

    >>> sampler = WeightedSampler([0.1, 0.9, 0.4], num_samples=5, seed=0)
    >>> len(list(sampler))
    5
    """

    def __init__(
        self,
        weights: Tensor | np.ndarray | Sequence[float],
        num_samples: int | None = None,
        replacement: bool = True,
        *,
        method: Literal["independent", "systematic"] = "independent",
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        weights = _weights(weights)
        wanted = _checked(num_samples, len(weights), replacement, int((weights > 0).sum()))
        draws: Draws
        if method not in ("independent", "systematic"):
            raise ValueError(f"method must be 'independent' or 'systematic'; given: {method!r}")
        if method == "systematic":
            if not replacement:
                raise ValueError(
                    "method='systematic' draws an item as often as its weight says: it needs replacement=True"
                )
            draws = Systematic(weights, draws=wanted, seed=seed)
        elif replacement:
            draws = ByWeight(weights, draws=wanted, seed=seed)
        else:
            draws = Race(weights, draws=wanted, seed=seed)
        super().__init__(draws, num_replicas=num_replicas, rank=rank, drop_last=drop_last)


class SentenceSampler(IndexSampler):
    """Draws items with many labels in proportion to the geometric mean (or product) of their labels' weights `N / (C n_c)`.

    `labels` are one sequence of class ids an item, or packed `Labels`; -100 (PAD) is skipped. See `sentence-weights`.

    >>> sampler = SentenceSampler([[0, 0, 0], [0, 1], [0, 0]], seed=0)
    >>> len(list(sampler))
    3
    """

    def __init__(
        self,
        labels: Any,
        *,
        reduction: Literal["geometric-mean", "product"] = "geometric-mean",
        num_samples: int | None = None,
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        found = labels_of(labels, "SentenceSampler")
        if not int(found.counts().values.sum()):
            raise ValueError("SentenceSampler needs items with labels; given: none with any")
        weights = _weights(sentence_weights(found, found.counts().inverse(), reduction))
        draws = ByWeight(weights, draws=_checked(num_samples, len(weights), True, len(weights)), seed=seed)
        super().__init__(draws, num_replicas=num_replicas, rank=rank, drop_last=drop_last)


class RepeatFactorSampler(IndexSampler):
    """Draws each item `max(1, sqrt(threshold / f_c))` times an epoch, the largest over its classes, rounded at random (LVIS).

    f_c is the share of items that hold class c: classes rarer than `threshold` are repeated. Gupta, Dollar, Girshick 2019.
    An epoch's length changes a little from one to the next.

    >>> sampler = RepeatFactorSampler([[0], [0], [0], [0, 1]], threshold=1.0, seed=0)
    >>> sorted(sampler)
    [0, 1, 2, 3, 3]
    """

    def __init__(
        self,
        labels: Any,
        *,
        threshold: float = 1e-3,
        seed: int = 0,
        num_replicas: int | None = None,
        rank: int | None = None,
        drop_last: bool = False,
    ) -> None:
        if not isinstance(threshold, int | float) or not 0 <= threshold < math.inf:
            raise ValueError(f"threshold must be a share of the items, 0 or more; given: {threshold!r}")
        factors = repeat_factors(labels_of(labels, "RepeatFactorSampler"), threshold)
        super().__init__(RepeatFactor(factors, seed=seed), num_replicas=num_replicas, rank=rank, drop_last=drop_last)


def _weights(given: Tensor | np.ndarray | Sequence[float]) -> Tensor:
    try:
        weights = torch.as_tensor(given).cpu()
        weights = weights if weights.is_complex() else torch.as_tensor(given, dtype=torch.float64).cpu()
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(
            f"weights must be numbers, one an item; given: {type(given).__name__} of something else"
        ) from None
    if weights.ndim != 1 or not len(weights) or weights.is_complex():
        raise ValueError(
            f"weights must be one real number an item, shape (N,); given: shape {tuple(weights.shape)}, {weights.dtype}"
        )
    wrong = ~(weights.isfinite() & (weights >= 0))
    if wrong.any():
        at = int(wrong.nonzero()[0])
        raise ValueError(
            f"weights must be finite and not negative; given: weights[{at}] = {float(weights[at])} "
            f"({int(wrong.sum())} such of {len(weights)}). A class without items gives 1 / 0: leave it out."
        )
    if not (weights > 0).any():
        raise ValueError("weights must not all be 0; given: no positive weight")
    return weights


def _checked(num_samples: int | None, items: int, replacement: bool, drawable: int) -> int:
    wanted = items if num_samples is None else whole("num_samples", num_samples)
    if not isinstance(replacement, bool):
        raise ValueError(f"replacement must be True or False; given: {replacement!r}")
    if not replacement and wanted > drawable:
        raise ValueError(
            f"replacement=False can draw at most the {drawable} items of positive weight; given: num_samples={wanted}"
        )
    return wanted
