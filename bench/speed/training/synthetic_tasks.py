"""The synthetic tasks that training is timed on: windows, sentences and rows from a fixed seed; nothing is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Generator, Tensor

from bench.models.model import Shape
from bench.planning.protocol import Protocol, reference_protocol
from bench.tasks.part import UNK, Part, Rows, TaggedSentences
from bench.tasks.task import Task, TaskSpec
from strategies import Labels
from strategies.strategy import Inputs

WINDOW_LENGTH = 9
MAX_SENTENCE_LENGTH = 60
FINGERPRINT = "synthetic"

# The labels of these tasks seed the random numbers of stacks, so they keep the names that they had at first.


@dataclass(frozen=True)
class SyntheticWindows(TaskSpec):
    """Windows of Zipf-distributed words, each labelled by its middle word."""

    items: int = 200_000
    vocabulary: int = 20_000
    label: str = "made-windows"
    kind: str = "windows"

    def load(self, rng: np.random.Generator) -> Task:
        return _make_windows(self)


@dataclass(frozen=True)
class SyntheticSentences(TaskSpec):
    """Sentences of Zipf-distributed words, of log-normal length (14.5 words on average), each word labelled by itself."""

    items: int = 14_000
    vocabulary: int = 20_000
    label: str = "made-sentences"
    kind: str = "sentences"

    def load(self, rng: np.random.Generator) -> Task:
        return _make_sentences(self)


@dataclass(frozen=True)
class SyntheticRows(TaskSpec):
    """Rows of numbers: one Gaussian per class."""

    items: int = 20_000
    features: int = 32
    classes: int = 10
    label: str = "made-rows"
    kind: str = "rows"

    def load(self, rng: np.random.Generator) -> Task:
        return _make_rows(self)


TASKS: dict[str, TaskSpec] = {
    "window-tagger": SyntheticWindows(),
    "bilstm-tagger": SyntheticSentences(),
    "mlp": SyntheticRows(),
}
"""The task that each model is timed on."""
SMALL_TASKS: dict[str, TaskSpec] = {
    "window-tagger": SyntheticWindows(items=1000, vocabulary=100),
    "bilstm-tagger": SyntheticSentences(items=600, vocabulary=100),
    "mlp": SyntheticRows(items=600),
}
"""Tasks of the same kinds with few items."""


def protocol_of(task: TaskSpec) -> Protocol:
    """Return the task's reference protocol, without unknown words.

    Rows come in batches of 256: a step of the reference protocol's 64 would spend most of its time calling functions.
    """
    reference = replace(reference_protocol(task), unk_rate=0.0)
    return replace(reference, batch_size=256) if task.kind == "rows" else reference


@cache
def _make_windows(spec: SyntheticWindows) -> Task:
    generator = Generator().manual_seed(0)
    text = _sample_zipf_words(spec.items + WINDOW_LENGTH - 1, spec.vocabulary, generator)
    x = text.unfold(0, WINDOW_LENGTH, 1).contiguous()
    class_of_word = _sample_class_of_word(spec.vocabulary, generator)
    labels = Labels.of(class_of_word[x[:, WINDOW_LENGTH // 2]], _class_names(9))
    return _make_task("tokens", Shape(9, vocabulary=spec.vocabulary, positions=WINDOW_LENGTH), Rows(x, labels))


@cache
def _make_sentences(spec: SyntheticSentences) -> Task:
    generator = Generator().manual_seed(0)
    log_lengths = torch.randn(spec.items, generator=generator) * 0.75 + 2.4
    lengths = log_lengths.exp().round().clamp(1, MAX_SENTENCE_LENGTH).long()
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    words = _sample_zipf_words(int(offsets[-1]), spec.vocabulary, generator)
    class_of_word = _sample_class_of_word(spec.vocabulary, generator)
    labels = Labels(class_of_word[words], offsets, _class_names(9))
    return _make_task("tokens", Shape(9, vocabulary=spec.vocabulary), TaggedSentences(words, labels))


@cache
def _make_rows(spec: SyntheticRows) -> Task:
    generator = Generator().manual_seed(0)
    y = torch.multinomial(_class_shares(spec.classes, 0.6), spec.items, replacement=True, generator=generator)
    centres = torch.randn(spec.classes, spec.features, generator=generator) * 0.6
    x = centres[y] + torch.randn(spec.items, spec.features, generator=generator)
    shape = Shape(spec.classes, features=spec.features)
    return _make_task("numbers", shape, Rows(x, Labels.of(y, _class_names(spec.classes))))


def _make_task(inputs: Inputs, shape: Shape, part: Part) -> Task:
    return Task("synthetic", inputs, "natural", shape, part, part, part, fingerprint=FINGERPRINT)


def _sample_zipf_words(count: int, vocabulary: int, generator: Generator) -> Tensor:
    """Return word ids above PAD and UNK; the r-th most frequent word has a share proportional to 1 / r."""
    share = 1 / torch.arange(1, vocabulary - UNK, dtype=torch.float64)
    return torch.multinomial(share, count, replacement=True, generator=generator) + UNK + 1


def _sample_class_of_word(vocabulary: int, generator: Generator) -> Tensor:
    return torch.multinomial(_class_shares(9, 0.83), vocabulary, replacement=True, generator=generator)


def _class_shares(classes: int, head_share: float) -> Tensor:
    """Return the shares of one frequent class and of others that are equally rare."""
    tail_share = (1 - head_share) / (classes - 1)
    return torch.tensor([head_share, *[tail_share] * (classes - 1)], dtype=torch.float64)


def _class_names(classes: int) -> tuple[str, ...]:
    return tuple(f"class {number}" for number in range(classes))
