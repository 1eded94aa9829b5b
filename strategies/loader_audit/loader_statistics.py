"""Statistics of what a loader sampled: by class, by item, and by batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from strategies.draw.weights import effective_sample_size
from strategies.labels import IGNORED, Labels
from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.observation import Observation


@dataclass(frozen=True)
class ClassStatistics:
    """One entry per class: its labels in the data set, and its shares of the labels."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    """Labels in the data set."""
    natural: tuple[float, ...]
    """Share of the labels of the data set."""
    sampled: tuple[float, ...]
    """Share of the sampled labels."""
    intended: tuple[float, ...]
    """Share that was intended; NaN where none was."""


@dataclass(frozen=True)
class ItemStatistics:
    """How often the items of the data set were sampled in one epoch, or in as much of it as was read."""

    samples: int
    whole_epoch: bool
    """Whether the epoch was read to its end."""
    distinct: int
    """Items that were sampled at least once."""
    items: int
    """Items of the data set."""
    rarest_class: int
    rarest_items: int
    """Items of the rarest class."""
    rarest_mean: float
    """How often an item of the rarest class was sampled on average."""
    rarest_max: int
    """How often the most frequent item of the rarest class was sampled."""
    effective: float
    """How many equally weighted items carry as much information as the samples (Kish's effective sample size)."""


@dataclass(frozen=True)
class BatchStatistics:
    """How equal the classes are within batches."""

    count: int
    evenness: float
    """Mean entropy of the classes of a batch, over its largest possible value: 1 if all classes are equally frequent."""
    complete: float
    """Share of the batches that contain every class."""


@dataclass(frozen=True)
class LoaderStatistics:
    """What was sampled, apart from any verdict."""

    samples: int
    """Items that the audit read, over one or more epochs."""
    classes: ClassStatistics
    items: ItemStatistics | None
    """None where no indices are known."""
    batches: BatchStatistics | None
    """None where nothing is known about batches."""


def compute_statistics(context: AuditContext, observation: Observation, sampled_labels: Labels) -> LoaderStatistics:
    """Return the statistics of what was sampled, by class, item and batch."""
    classes = ClassStatistics(
        context.given_labels.class_names,
        tuple(context.counts.values.tolist()),
        tuple(context.natural_mix.tolist()),
        tuple(context.sampled_mix.tolist()),
        tuple(context.intended_mix.tolist()),
    )
    batches = _batch_statistics(sampled_labels, observation.batch_sizes, context.natural_mix)
    return LoaderStatistics(len(observation), classes, _item_statistics(context, observation), batches)


def _item_statistics(context: AuditContext, observation: Observation) -> ItemStatistics | None:
    index = observation.first_epoch_indices
    index = index[(index >= 0) & (index < len(context.labels))]
    if not len(index):
        return None
    times_sampled = index.bincount(minlength=len(context.labels))
    counts = context.counts.values
    rarest = int(torch.where(counts > 0, counts, torch.iinfo(torch.int64).max).argmin())
    items_of_rarest = context.labels.item_of_position()[context.labels.values == rarest].unique()
    weights = context.source.weights
    if weights is None or len(weights) != len(times_sampled) or not bool((weights.isfinite() & (weights >= 0)).all()):
        weights = times_sampled
    return ItemStatistics(
        samples=len(index),
        whole_epoch=observation.first_epoch_complete,
        distinct=int((times_sampled > 0).sum()),
        items=len(times_sampled),
        rarest_class=rarest,
        rarest_items=len(items_of_rarest),
        rarest_mean=float(times_sampled[items_of_rarest].double().mean()),
        rarest_max=int(times_sampled[items_of_rarest].max()),
        effective=effective_sample_size(weights),
    )


def _batch_statistics(labels: Labels, batch_sizes: list[int], natural_mix: Tensor) -> BatchStatistics | None:
    sizes = torch.tensor(batch_sizes)
    if not len(sizes) or int(sizes.max()) < 2:
        return None
    present = (natural_mix > 0).nonzero().squeeze(1)
    batch_of_item = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    item = labels.item_of_position()
    kept = (item < len(batch_of_item)) & (labels.values != IGNORED)
    counts = torch.zeros(len(sizes), len(natural_mix), dtype=torch.float64)
    ones = torch.ones(int(kept.sum()), dtype=torch.float64)
    counts.index_put_((batch_of_item[item[kept]], labels.values[kept]), ones, accumulate=True)
    counts = counts[:, present]
    counts = counts[counts.sum(1) > 0]
    if len(present) < 2 or not len(counts):
        return None
    shares = counts / counts.sum(1, keepdim=True)
    evenness = -torch.xlogy(shares, shares).sum(1) / torch.tensor(float(len(present))).log()
    return BatchStatistics(len(counts), float(evenness.mean()), float((counts > 0).all(1).double().mean()))
