"""What was seen: classes, items and batches of the draws."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from strategies.draw.weights import effective_sample_size
from strategies.labels import IGNORED, Labels
from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.observed import Observation


@dataclass(frozen=True)
class ClassStatistics:
    """A row a class: its labels in the data set, and its shares there, in the draws, and as intended."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    natural: tuple[float, ...]
    realised: tuple[float, ...]
    intended: tuple[float, ...]


@dataclass(frozen=True)
class ItemStatistics:
    """How often the items of the data set came in one epoch, or in as much of it as was read."""

    draws: int
    whole: bool
    distinct: int
    items: int
    rarest_class: int
    rarest_items: int
    rarest_mean: float
    rarest_most: int
    effective: float
    """How many equally weighted items the draws are worth."""


@dataclass(frozen=True)
class BatchStatistics:
    """How equal the classes are within batches."""

    count: int
    evenness: float
    """Mean entropy of a batch's classes, 1 where all come equally often."""
    complete: float
    """Share of the batches that hold every class."""


@dataclass(frozen=True)
class LoaderStatistics:
    """What the draws show, apart from any verdict."""

    draws: int
    classes: ClassStatistics
    items: ItemStatistics | None
    """None where no indices are to be seen."""
    batches: BatchStatistics | None
    """None where nothing is known of batches."""


def compute_statistics(wiring: AuditContext, draws: Observation, drawn: Labels) -> LoaderStatistics:
    """Classes, items and batches of what was drawn, `drawn` being its labels."""
    classes = ClassStatistics(
        wiring.given.class_names,
        tuple(wiring.counts.values.tolist()),
        tuple(wiring.natural.tolist()),
        tuple(wiring.realised.tolist()),
        tuple(wiring.intended.tolist()),
    )
    return LoaderStatistics(len(draws), classes, _items(wiring, draws), _batches(drawn, draws, wiring.natural))


def _items(wiring: AuditContext, draws: Observation) -> ItemStatistics | None:
    index = draws.epoch_index
    index = index[(index >= 0) & (index < len(wiring.labels))]
    if not len(index):
        return None
    times = index.bincount(minlength=len(wiring.labels))
    rarest = int(torch.where(wiring.counts.values > 0, wiring.counts.values, torch.iinfo(torch.int64).max).argmin())
    held = wiring.labels.item_of_position()[wiring.labels.values == rarest].unique()
    weights = wiring.source.weights
    known = weights is not None and len(weights) == len(times) and bool((weights.isfinite() & (weights >= 0)).all())
    return ItemStatistics(
        draws=len(index),
        whole=draws.whole,
        distinct=int((times > 0).sum()),
        items=len(times),
        rarest_class=rarest,
        rarest_items=len(held),
        rarest_mean=float(times[held].double().mean()),
        rarest_most=int(times[held].max()),
        effective=effective_sample_size(weights if known and weights is not None else times),
    )


def _batches(drawn: Labels, draws: Observation, natural: Tensor) -> BatchStatistics | None:
    sizes = torch.tensor(draws.batch_sizes)
    if not len(sizes) or int(sizes.max()) < 2:
        return None
    present = (natural > 0).nonzero().squeeze(1)
    batch_of_item = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    item = drawn.item_of_position()
    kept = (item < len(batch_of_item)) & (drawn.values != IGNORED)
    held = torch.zeros(len(sizes), len(natural), dtype=torch.float64)
    one = torch.ones(int(kept.sum()), dtype=torch.float64)
    held.index_put_((batch_of_item[item[kept]], drawn.values[kept]), one, accumulate=True)
    held = held[:, present]
    held = held[held.sum(1) > 0]
    if len(present) < 2 or not len(held):
        return None
    shares = held / held.sum(1, keepdim=True)
    entropy = -torch.xlogy(shares, shares).sum(1) / torch.tensor(float(len(present))).log()
    return BatchStatistics(len(held), float(entropy.mean()), float((held > 0).all(1).double().mean()))
