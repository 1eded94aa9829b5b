"""The items of train, valid or test: rows, windows or sentences; and the pool of items that a run samples from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from strategies import IGNORED, Labels, Resampled

PAD, UNK = 0, 1
"""Word ids of a position without a word, and of a word that the training part does not hold."""


@dataclass(frozen=True)
class Batch:
    """Inputs of a model and targets of a loss: for rows and windows `x (B, ...)` and `targets (B, P)`; for sentences, time
    first, `x (T, B)` and `targets (T, B)`, with IGNORED where a sentence has ended."""

    x: Tensor
    targets: Tensor


@dataclass(frozen=True)
class MixedBatch(Batch):
    """A batch whose items are mixed in pairs: item b is `lambda_x[b]` times itself plus the rest of item `partner[b]`.

    A target has the weight `lambda_y`, and its partner's, in `partner_targets`, the rest; both have the shape of `targets`.
    """

    partner: Tensor
    lambda_x: Tensor
    partner_targets: Tensor
    lambda_y: Tensor


@dataclass(frozen=True)
class ScoredBatch:
    """A batch of an evaluation, with the flattened positions that are scored, `position (K,)`, and the indices of their labels
    in the part, `label (K,)`."""

    batch: Batch
    position: Tensor
    label: Tensor


@dataclass(frozen=True)
class Rows:
    """Rows of numbers `x (N, F)`, or windows of word ids `x (N, W)`, with P labels each; the middle one is scored."""

    x: Tensor
    labels: Labels
    sentences: Tensor | None = None
    """Offsets of sentences in `truth`; None where there is no text."""
    chunk: int = 1024
    marks_entities: bool = True
    """Whether the classes of a text mark entities; else they are classes of single words."""

    @property
    def has_entities(self) -> bool:
        """Whether there are entities to find."""
        return self.marks_entities and self.sentences is not None

    @property
    def truth(self) -> Tensor:
        """The labels `(L,)` that an evaluation compares predictions with, in the order of the text."""
        return self.targets[:, self.targets.shape[1] // 2]

    def gather(self, index: Tensor) -> Batch:
        """Return the items `index (B,)` as a batch."""
        return Batch(self.x.index_select(0, index), self.targets.index_select(0, index))

    def scored_batches(self) -> Iterator[ScoredBatch]:
        """Yield all items once, in batches whose shapes depend on the part alone."""
        positions = self.targets.shape[1]
        for index in torch.split(torch.arange(len(self.labels)), self.chunk):
            middle = torch.arange(len(index)) * positions + positions // 2
            yield ScoredBatch(self.gather(index), middle, index)

    @property
    def targets(self) -> Tensor:
        """Class ids `(N, P)`."""
        return self.labels.values.view(len(self.labels), -1)

    def append(self, x: Tensor, y: Tensor) -> Rows:
        """Return the part with the rows `x (K, F)` of the classes `y (K,)` after its own."""
        labels = Labels.of(torch.cat([self.labels.values, y]), self.labels.class_names)
        return replace(self, x=torch.cat([self.x, x]), labels=labels)


@dataclass(frozen=True)
class TaggedSentences:
    """Sentences of word ids, packed: sentence i has the words
    `words[labels.offsets[i]:labels.offsets[i + 1]]`, each with one label."""

    words: Tensor
    labels: Labels
    chunk: int = 32
    has_entities: bool = True
    """Whether the classes mark entities; else they are classes of single words."""

    @property
    def truth(self) -> Tensor:
        """The labels `(L,)` that an evaluation compares predictions with, in the order of the text."""
        return self.labels.values

    @property
    def sentences(self) -> Tensor:
        """Offsets of sentences in `truth`."""
        return self.labels.offsets

    def gather(self, index: Tensor) -> Batch:
        """Return the items `index (B,)` as a batch."""
        word, inside = self._word_indices(index)
        return Batch(self.words[word].masked_fill(~inside, PAD), self.labels.values[word].masked_fill(~inside, IGNORED))

    def scored_batches(self) -> Iterator[ScoredBatch]:
        """Yield all items once, in batches whose shapes depend on the part alone."""
        for index in torch.split(torch.argsort(self.labels.positions, stable=True), self.chunk):
            word, inside = self._word_indices(index)
            yield ScoredBatch(self.gather(index), inside.flatten().nonzero().squeeze(1), word[inside])

    def _word_indices(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return, for each time and sentence, the index of the word and whether the sentence is that long, `(T, B)` each."""
        lengths = self.labels.positions[index]
        time = torch.arange(int(lengths.max())).unsqueeze(1)
        inside = time < lengths
        return torch.where(inside, self.labels.offsets[:-1][index] + time, 0), inside


Part = Rows | TaggedSentences


def tensors(part: Part) -> list[Tensor]:
    """Return all tensors of a part."""
    items = [part.words] if isinstance(part, TaggedSentences) else [part.x]
    return [*items, part.labels.values, part.labels.offsets, *([] if part.sentences is None else [part.sentences])]


def join_parts(first: Part, second: Part) -> Part:
    """Return the items of two parts of one task as one part."""
    ends = torch.cat([first.labels.offsets, second.labels.offsets[1:] + first.labels.offsets[-1]])
    labels = Labels(torch.cat([first.labels.values, second.labels.values]), ends, first.labels.class_names)
    if isinstance(first, TaggedSentences):
        assert isinstance(second, TaggedSentences)
        return replace(first, words=torch.cat([first.words, second.words]), labels=labels)
    assert isinstance(second, Rows)
    sentences = None
    if first.sentences is not None and second.sentences is not None:
        sentences = torch.cat([first.sentences, second.sentences[1:] + first.sentences[-1]])
    return replace(first, x=torch.cat([first.x, second.x]), labels=labels, sentences=sentences)


@dataclass(frozen=True)
class Pool:
    """The items that a run samples from: all of a part, or those that a resampling strategy keeps, repeats and adds."""

    part: Part
    index: Tensor | None = None
    """The part's item of each pool item; None where they are the same."""

    @classmethod
    def of(cls, part: Part, resampled: Resampled | None) -> Pool:
        """Return the pool after resampling; None: without resampling."""
        if resampled is None:
            return cls(part)
        if resampled.synthetic_x is None or resampled.synthetic_y is None:
            return cls(part, resampled.index)
        if not isinstance(part, Rows):
            raise TypeError("synthetic rows can only be added to rows of numbers")
        synthetic = torch.arange(len(resampled.synthetic_x)) + len(part.labels)
        return cls(part.append(resampled.synthetic_x, resampled.synthetic_y), torch.cat([resampled.index, synthetic]))

    def __len__(self) -> int:
        return len(self.part.labels) if self.index is None else len(self.index)

    @property
    def labels(self) -> Labels:
        return self.part.labels if self.index is None else self.part.labels.take(self.index)

    def items(self, pool_items: Tensor) -> Tensor:
        """Return the part's items of the pool items `(B,)`."""
        return pool_items if self.index is None else self.index[pool_items]
