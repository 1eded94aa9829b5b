"""Random choices of one run: which items come next, which words become UNK, and which items are mixed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Generator, Tensor

from bench.planning.run import Run
from bench.planning.seeds import sub_seed
from bench.records.record import SamplingStats
from bench.tasks.part import Pool, Rows, TaggedSentences
from bench.tasks.task import Task
from bench.train.warning_notes import collect_notes
from strategies import IGNORED, Mixed, Strategy, effective_sample_size


class RunSampler:
    """Samples items for one run, and counts what was sampled.

    Its random numbers depend on the task and the seed, never on the strategy: comparisons are paired.
    """

    def __init__(self, run: Run, task: Task) -> None:
        self.run, self.protocol, strategy = run, run.protocol, run.strategy
        self._counts = task.train.labels.counts()
        self.notes: list[str] = []
        """Texts of the warnings that the strategy gave, for the record."""

        x = task.train.x if isinstance(task.train, Rows) and task.inputs == "numbers" else None
        with collect_notes(self.notes):
            resampled = strategy.resample(x, task.train.labels, seed=run.seed_for("resample"))
            self.pool = Pool.of(task.train, resampled)
            weights = strategy.item_weights(self.pool.labels, self._counts)
        self._effective_sample_size = None if weights is None else effective_sample_size(weights)

        self._unk_generator = Generator().manual_seed(run.seed_for("unk"))
        self._mix_generator = Generator().manual_seed(run.seed_for("mix"))
        self._real_items = len(task.train.labels)
        self._ones = torch.ones(self.protocol.batch_size, dtype=torch.int64)
        self._times_sampled = torch.zeros(len(self.pool.part.labels), dtype=torch.int64)
        self.start_phase(0, strategy.phases()[0].strategy)

    def start_phase(self, phase: int, strategy: Strategy) -> None:
        """Sample and mix items as this strategy does, from the next batch on; its set-up is done at once."""
        self._strategy = strategy
        seed = self.run.seed_for("stream" if phase == 0 else f"stream of phase {phase}")
        with collect_notes(self.notes):
            stream = strategy.index_stream(
                self.pool.labels,
                self._counts,
                batch_size=self.protocol.batch_size,
                steps=self.protocol.steps,
                seed=seed,
            )
            self._stream: Iterator[Tensor] = _set_up(stream)
        if self.protocol.length_group > 1 and isinstance(self.pool.part, TaggedSentences):
            shuffle_seed = sub_seed("length-group", self.run.task.label)
            self._stream = self._group_by_length(self._stream, self.pool.part, shuffle_seed)

    def sample_items(self) -> Tensor:
        """Return the items `(batch_size,)` of the next batch, as indices into the part that is trained on."""
        items = self.pool.items(next(self._stream))
        self._times_sampled.index_add_(0, items, self._ones[: len(items)])
        return items

    def sample_unk_mask(self, *shape: int) -> Tensor:
        """Sample which words of a batch of this shape are replaced by UNK."""
        return torch.rand(shape, generator=self._unk_generator) < self.protocol.unk_rate

    def sample_pairs(self, targets: Tensor) -> Mixed:
        """Sample how the items of a batch, `targets (B, P)`, are mixed with each other."""
        pairs = self._strategy.mix(targets, self._counts, generator=self._mix_generator)
        assert pairs is not None, f"{self._strategy} mixes nothing"
        return pairs

    def sampling_stats(self) -> SamplingStats:
        """Summarise what was sampled so far."""
        labels = self.pool.part.labels
        labelled = labels.values != IGNORED
        times = self._times_sampled[labels.item_of_position()[labelled]].double()
        by_class = torch.bincount(labels.values[labelled], weights=times, minlength=labels.num_classes).long()
        return SamplingStats(
            items=int(self._times_sampled.sum()),
            labels=int(by_class.sum()),
            by_class=by_class.tolist(),
            coverage=float((self._times_sampled[: self._real_items] > 0).double().mean()),
            effective_sample_size=self._effective_sample_size,
        )

    def _group_by_length(self, stream: Iterator[Tensor], part: TaggedSentences, shuffle_seed: int) -> Iterator[Tensor]:
        """Yield batches of sentences of similar length: sort `length_group` batches together by length and cut them again.

        The order of the batches is shuffled in the same way for all runs of a task, so that the sentences of a whole stack
        are of similar length too: a stack's batch is padded to its longest sentence.
        """
        shuffle = Generator().manual_seed(shuffle_seed)
        group = self.protocol.length_group
        while True:
            items = torch.cat(list(islice(stream, group)))
            by_length = items[torch.argsort(part.labels.positions[self.pool.items(items)], stable=True)]
            batches = torch.split(by_length, self.protocol.batch_size)
            yield from (batches[i] for i in torch.randperm(group, generator=shuffle).tolist())


def _set_up(stream: Iterator[Tensor]) -> Iterator[Tensor]:
    """Return the same stream, set up now: a generator runs none of its code before its first batch is asked for."""
    first = next(stream)

    def whole() -> Iterator[Tensor]:
        yield first
        yield from stream

    return whole()
