"""The batches of one training: which items, in which order, with which words hidden."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import Generator, Tensor

from bench.record import Drawn
from bench.seeds import sub_seed
from bench.tasks.part import PAD, UNK, Batch, Pool, Rows, TaggedSentences
from bench.tasks.task import Task
from bench.training import Training
from strategies import IGNORED, StrategyWarning, effective_sample_size


class Feed:
    """Draws and gathers for one training, and remembers what it drew.

    Its random numbers depend on the task and the seed, never on the strategy: comparisons are paired.
    """

    def __init__(self, training: Training, task: Task) -> None:
        self.protocol, strategy, axes = training.protocol, training.strategy, (training.task.label, training.seed)
        counts = task.train.labels.counts()
        x = task.train.x if isinstance(task.train, Rows) and task.inputs == "numbers" else None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", StrategyWarning)
            resampled = strategy.resample(x, task.train.labels, seed=sub_seed("resample", *axes))
            self.pool = Pool.of(task.train, resampled)
            labels = self.pool.labels
            stream = strategy.index_stream(
                labels,
                counts,
                batch_size=self.protocol.batch_size,
                steps=training.protocol.steps,
                seed=sub_seed("stream", *axes),
            )
            weights = strategy.item_weights(labels, counts)
            self._stream: Iterator[Tensor] = _with_first_batch_drawn(stream)
        self.notes = [str(each.message) for each in caught if issubclass(each.category, StrategyWarning)]
        _show_again(each for each in caught if not issubclass(each.category, StrategyWarning))
        self._effective_sample_size = None if weights is None else effective_sample_size(weights)
        if self.protocol.length_group > 1 and isinstance(self.pool.part, TaggedSentences):
            self._stream = self._length_grouped(self._stream, self.pool.part, sub_seed("length-group", axes[0]))
        self._hiding = Generator().manual_seed(sub_seed("unk", *axes))
        self._real_items = len(task.train.labels)
        self._times_drawn = torch.zeros(len(self.pool.part.labels), dtype=torch.int64)

    def draw(self) -> Tensor:
        """The items of the part `(batch_size,)` that come next."""
        items = self.pool.items(next(self._stream))
        self._times_drawn.index_add_(0, items, torch.ones_like(items))
        return items

    def gather(self, items: Tensor) -> Batch:
        """The batch of these items, with some words replaced by UNK."""
        batch = self.pool.part.gather(items)
        if not self.protocol.unk_rate:
            return batch
        hidden = (torch.rand(batch.x.shape, generator=self._hiding) < self.protocol.unk_rate) & (batch.x != PAD)
        return Batch(batch.x.masked_fill(hidden, UNK), batch.targets)

    def drawn(self) -> Drawn:
        """What was drawn so far."""
        labels = self.pool.part.labels
        labelled = labels.values != IGNORED
        times = self._times_drawn[labels.item_of_position()[labelled]].double()
        by_class = torch.bincount(labels.values[labelled], weights=times, minlength=labels.num_classes).long()
        return Drawn(
            items=int(self._times_drawn.sum()),
            labels=int(by_class.sum()),
            by_class=by_class.tolist(),
            coverage=float((self._times_drawn[: self._real_items] > 0).double().mean()),
            effective_sample_size=self._effective_sample_size,
        )

    def _length_grouped(self, stream: Iterator[Tensor], part: TaggedSentences, seed: int) -> Iterator[Tensor]:
        """Batches of sentences of like length: `length_group` batches are drawn, sorted by length, and cut again.

        Their order is shuffled alike for all trainings of a task, so that a stack's sentences are of like length too.
        """
        shuffle = Generator().manual_seed(seed)
        group = self.protocol.length_group
        while True:
            items = torch.cat(list(islice(stream, group)))
            by_length = items[torch.argsort(part.labels.positions[self.pool.items(items)], stable=True)]
            batches = torch.split(by_length, self.protocol.batch_size)
            yield from (batches[i] for i in torch.randperm(group, generator=shuffle).tolist())


def _with_first_batch_drawn(stream: Iterator[Tensor]) -> Iterator[Tensor]:
    """The same stream, its set-up done now: a generator runs none of its code before the first batch is asked for."""
    first = next(stream)

    def whole() -> Iterator[Tensor]:
        yield first
        yield from stream

    return whole()


def _show_again(caught: Any) -> None:
    for each in caught:
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
