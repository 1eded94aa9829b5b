"""The batches of a stack: what each training draws, gathered together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.tasks.part import PAD, UNK, Batch, MixedBatch, TaggedSentences
from bench.tasks.task import Task
from bench.train.build import Build
from bench.train.feed import Feed
from bench.train.row_pool import RowPool, moved
from bench.training import Training
from strategies import IGNORED


class Feeds:
    """A feed for each training, and the pool that all gather from."""

    def __init__(self, trainings: Sequence[Training], tasks: Sequence[Task], device: torch.device) -> None:
        self.each = [Feed(*pair) for pair in zip(trainings, tasks, strict=True)]
        self._pool = RowPool([task.train for task in tasks], [feed.pool.part for feed in self.each], device)
        self._unk_rate, self._device = trainings[0].protocol.unk_rate, device
        self._time_first = isinstance(tasks[0].train, TaggedSentences)
        self._mixes = Build.of(trainings[0].strategy).mixes

    def draw(self) -> Tensor:
        """The items `(S, B)` that come next."""
        return torch.stack([feed.draw() for feed in self.each])

    def gather(self, items: Tensor) -> Batch:
        """The batch of these items, `x (S, ...)`, `targets (S, ...)`, some words replaced by UNK, with its pairs if mixed."""
        places = self._pool.places(items)
        x, targets = self._pool.take(places)
        if self._unk_rate:
            x = x.masked_fill_(moved(self._hidden(places, x.shape), self._device) & (x != PAD), UNK)
        return self._mixed(Batch(x, targets)) if self._mixes else Batch(x, targets)

    def _hidden(self, places: Tensor, shape: torch.Size) -> Tensor:
        """Words that become UNK: each training draws for its own longest sentence, whatever its neighbours'."""
        if not self._time_first:
            return torch.stack([feed.hidden(*shape[1:]) for feed in self.each])
        lengths = self._pool.lengths(places)
        masks = [feed.hidden(length, shape[2]) for feed, length in zip(self.each, lengths, strict=True)]
        return torch.stack([F.pad(mask, (0, 0, 0, shape[1] - len(mask))) for mask in masks])

    def _mixed(self, batch: Batch) -> MixedBatch:
        of_items = batch.targets.cpu()
        if self._time_first:
            of_items = of_items.mT
        found = [feed.mix(each) for feed, each in zip(self.each, of_items, strict=True)]
        partner, lambda_x, lambda_y = (
            torch.stack([getattr(pairs, name) for pairs in found]) for name in ("partner", "lambda_x", "lambda_y")
        )
        theirs = of_items[torch.arange(len(partner)).unsqueeze(1), partner]
        unpaired = (of_items == IGNORED) | (theirs == IGNORED)  # nothing is learnt where either has no label
        each = (of_items.masked_fill(unpaired, IGNORED), theirs.masked_fill(unpaired, IGNORED), lambda_y)
        targets, theirs, share = ((value.mT if self._time_first else value).to(self._device) for value in each)
        return MixedBatch(batch.x, targets, partner.to(self._device), lambda_x.to(self._device), theirs, share)
