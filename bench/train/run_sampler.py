"""What one training draws: which items, in which order, which words are hidden, which items are mixed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import torch
from torch import Generator, Tensor

from bench.planning.run import Run
from bench.planning.seeds import sub_seed
from bench.records.record import SamplingStats
from bench.tasks.part import Pool, Rows, TaggedSentences
from bench.tasks.task import Task
from strategies import IGNORED, Mixed, Strategy, StrategyWarning, effective_sample_size


class RunSampler:
    """Draws for one training, and remembers what it drew.

    Its random numbers depend on the task and the seed, never on the strategy: comparisons are paired.
    """

    def __init__(self, training: Run, task: Task) -> None:
        self.training, self.protocol, strategy = training, training.protocol, training.strategy
        self._counts = task.train.labels.counts()
        self.notes: list[str] = []
        x = task.train.x if isinstance(task.train, Rows) and task.inputs == "numbers" else None
        with self._noting():
            resampled = strategy.resample(x, task.train.labels, seed=training.seed_for("resample"))
            self.pool = Pool.of(task.train, resampled)
            weights = strategy.item_weights(self.pool.labels, self._counts)
        self._effective_sample_size = None if weights is None else effective_sample_size(weights)
        self._hiding = Generator().manual_seed(training.seed_for("unk"))
        self._mixing = Generator().manual_seed(training.seed_for("mix"))
        self._real_items = len(task.train.labels)
        self._once = torch.ones(self.protocol.batch_size, dtype=torch.int64)
        self._times_drawn = torch.zeros(len(self.pool.part.labels), dtype=torch.int64)
        self.enter(0, strategy.phases()[0].strategy)

    def enter(self, phase: int, strategy: Strategy) -> None:
        """From now on items are drawn and mixed as this strategy does; its set-up is done at once."""
        self._strategy = strategy
        seed = self.training.seed_for("stream" if phase == 0 else f"stream of phase {phase}")
        with self._noting():
            stream = strategy.index_stream(
                self.pool.labels,
                self._counts,
                batch_size=self.protocol.batch_size,
                steps=self.protocol.steps,
                seed=seed,
            )
            self._stream: Iterator[Tensor] = _with_first_batch_drawn(stream)
        if self.protocol.length_group > 1 and isinstance(self.pool.part, TaggedSentences):
            shuffling = sub_seed("length-group", self.training.task.label)
            self._stream = self._length_grouped(self._stream, self.pool.part, shuffling)

    def draw(self) -> Tensor:
        """The items of the part `(batch_size,)` that come next."""
        items = self.pool.items(next(self._stream))
        self._times_drawn.index_add_(0, items, self._once[: len(items)])
        return items

    def hidden(self, *shape: int) -> Tensor:
        """Which words of a batch of this shape are replaced by UNK."""
        return torch.rand(shape, generator=self._hiding) < self.protocol.unk_rate

    def mix(self, targets: Tensor) -> Mixed:
        """How the items of a batch, `targets (B, P)`, are mixed with each other."""
        pairs = self._strategy.mix(targets, self._counts, generator=self._mixing)
        assert pairs is not None, f"{self._strategy} mixes nothing"
        return pairs

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """What strategies warn of is kept for the record; other warnings are shown as ever."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", StrategyWarning)
            yield
        for each in caught:
            if not issubclass(each.category, StrategyWarning):
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
            elif str(each.message) not in self.notes:
                self.notes.append(str(each.message))

    def drawn(self) -> SamplingStats:
        """What was drawn so far."""
        labels = self.pool.part.labels
        labelled = labels.values != IGNORED
        times = self._times_drawn[labels.item_of_position()[labelled]].double()
        by_class = torch.bincount(labels.values[labelled], weights=times, minlength=labels.num_classes).long()
        return SamplingStats(
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
