"""The batches of a stack: what each training draws, gathered together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.models.variant import ModelVariant
from bench.planning.run import Run
from bench.tasks.part import PAD, UNK, Batch, MixedBatch, TaggedSentences
from bench.tasks.task import Task
from bench.train.item_pool import ItemPool, moved
from bench.train.run_sampler import RunSampler
from strategies import IGNORED


@dataclass(frozen=True)
class BatchPlan:
    """What a batch will hold: places in the pool, words that become UNK (None: no word does), and how items are mixed."""

    places: Tensor
    hidden: Tensor | None = None
    pairs: tuple[Tensor, ...] | None = None


class BatchLoader:
    """A feed for each training, and the pool that all gather from."""

    def __init__(self, runs: Sequence[Run], tasks: Sequence[Task], device: torch.device) -> None:
        self.each = [RunSampler(*pair) for pair in zip(runs, tasks, strict=True)]
        self._pool = ItemPool([task.train for task in tasks], [feed.pool.part for feed in self.each], device)
        self._unk_rate, self._device = runs[0].protocol.unk_rate, device
        self.time_first = isinstance(tasks[0].train, TaggedSentences)
        """Whether items are sentences: then a batch is as long as its longest."""
        self._mixes = ModelVariant.of(runs[0].strategy).mixes

    def draw(self) -> Tensor:
        """The items `(S, B)` that come next."""
        return torch.stack([feed.draw() for feed in self.each])

    def order(self, items: Tensor) -> BatchPlan:
        """What the batch of these items will hold, told to the device."""
        places = self._pool.places(items)
        shape = (*places.shape, *self._pool.inputs)
        hidden = moved(self._hidden(places, shape), self._device) if self._unk_rate else None
        pairs = self._pairs(self._pool.targets(places)) if self._mixes else None
        return BatchPlan(moved(places, self._device), hidden, pairs)

    def gather(self, order: BatchPlan) -> Batch:
        """The batch, `x (S, ...)`, `targets (S, ...)`, some words replaced by UNK, with its pairs if items are mixed."""
        x, targets = self._pool.take(order.places)
        if order.hidden is not None:
            x = x.masked_fill_(order.hidden & (x != PAD), UNK)
        return Batch(x, targets) if order.pairs is None else MixedBatch(x, *order.pairs)

    def _hidden(self, places: Tensor, shape: Sequence[int]) -> Tensor:
        """Words that become UNK: each training draws for its own longest sentence, whatever its neighbours'."""
        if not self.time_first:
            return torch.stack([feed.hidden(*shape[1:]) for feed in self.each])
        lengths = self._pool.lengths(places)
        masks = [feed.hidden(length, shape[2]) for feed, length in zip(self.each, lengths, strict=True)]
        return torch.stack([F.pad(mask, (0, 0, 0, shape[1] - len(mask))) for mask in masks])

    def _pairs(self, targets: Tensor) -> tuple[Tensor, ...]:
        """What a mixed batch holds beside x, on the device."""
        of_items = targets.mT if self.time_first else targets
        found = [feed.mix(each) for feed, each in zip(self.each, of_items, strict=True)]
        partner, lambda_x, lambda_y = (
            torch.stack([getattr(pairs, name) for pairs in found]) for name in ("partner", "lambda_x", "lambda_y")
        )
        theirs = of_items[torch.arange(len(partner)).unsqueeze(1), partner]
        unpaired = (of_items == IGNORED) | (theirs == IGNORED)  # nothing is learnt where either has no label
        each = (of_items.masked_fill(unpaired, IGNORED), theirs.masked_fill(unpaired, IGNORED), lambda_y)
        targets, theirs, share = (value.mT if self.time_first else value for value in each)
        numbers = (targets, partner, lambda_x, theirs, share)
        return tuple(moved(value.contiguous(), self._device) for value in numbers)
