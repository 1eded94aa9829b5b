"""What is trained on: windows, sentences and rows, made in memory from a seed; nothing is evaluated."""

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

WORDS_OF_A_WINDOW = 9
LONGEST = 60
"""Words of a sentence."""
MEAN_LENGTH = 14.5


@dataclass(frozen=True)
class MadeWindows(TaskSpec):
    """Windows of Zipf-distributed words, labelled by their middle word."""

    items: int = 200_000
    vocabulary: int = 20_000
    label: str = "made-windows"
    kind: str = "windows"

    def load(self, rng: np.random.Generator) -> Task:
        return _windows(self)


@dataclass(frozen=True)
class MadeSentences(TaskSpec):
    """Sentences of Zipf-distributed words, log-normal in length, each word labelled by itself."""

    items: int = 14_000
    vocabulary: int = 20_000
    label: str = "made-sentences"
    kind: str = "sentences"

    def load(self, rng: np.random.Generator) -> Task:
        return _sentences(self)


@dataclass(frozen=True)
class MadeRows(TaskSpec):
    """Rows of numbers: a Gaussian for each class."""

    items: int = 20_000
    features: int = 32
    classes: int = 10
    label: str = "made-rows"
    kind: str = "rows"

    def load(self, rng: np.random.Generator) -> Task:
        return _rows(self)


TASKS: dict[str, TaskSpec] = {
    "window-tagger": MadeWindows(),
    "bilstm-tagger": MadeSentences(),
    "mlp": MadeRows(),
}
"""What each model is trained on."""
SMALL: dict[str, TaskSpec] = {
    "window-tagger": MadeWindows(items=1000, vocabulary=100),
    "bilstm-tagger": MadeSentences(items=600, vocabulary=100),
    "mlp": MadeRows(items=600),
}
"""The same kinds of items, few of them."""


def protocol_of(task: TaskSpec) -> Protocol:
    """The task's reference protocol, without unknown words; rows in batches of 256, since a step of 64 is mostly calls."""
    reference = replace(reference_protocol(task), unk_rate=0.0)
    return replace(reference, batch_size=256) if task.kind == "rows" else reference


@cache
def _windows(spec: MadeWindows) -> Task:
    generator = Generator().manual_seed(0)
    text = _zipf_words(spec.items + WORDS_OF_A_WINDOW - 1, spec.vocabulary, generator)
    x = text.unfold(0, WORDS_OF_A_WINDOW, 1).contiguous()
    labels = Labels.of(_class_of_word(spec.vocabulary, generator)[x[:, WORDS_OF_A_WINDOW // 2]], _names(9))
    return _task("tokens", Shape(9, vocabulary=spec.vocabulary, positions=WORDS_OF_A_WINDOW), Rows(x, labels))


@cache
def _sentences(spec: MadeSentences) -> Task:
    generator = Generator().manual_seed(0)
    lengths = (torch.randn(spec.items, generator=generator) * 0.75 + 2.4).exp().round().clamp(1, LONGEST).long()
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    words = _zipf_words(int(offsets[-1]), spec.vocabulary, generator)
    labels = Labels(_class_of_word(spec.vocabulary, generator)[words], offsets, _names(9))
    return _task("tokens", Shape(9, vocabulary=spec.vocabulary), TaggedSentences(words, labels))


@cache
def _rows(spec: MadeRows) -> Task:
    generator = Generator().manual_seed(0)
    y = torch.multinomial(_prior(spec.classes, 0.6), spec.items, replacement=True, generator=generator)
    centres = torch.randn(spec.classes, spec.features, generator=generator) * 0.6
    x = centres[y] + torch.randn(spec.items, spec.features, generator=generator)
    shape = Shape(spec.classes, features=spec.features)
    return _task("numbers", shape, Rows(x, Labels.of(y, _names(spec.classes))))


def _task(inputs: Inputs, shape: Shape, part: Part) -> Task:
    return Task("made", inputs, "natural", shape, part, part, part, fingerprint="made")


def _zipf_words(count: int, vocabulary: int, generator: Generator) -> Tensor:
    """Word ids past PAD and UNK, the r-th most frequent in proportion to 1 / r."""
    share = 1 / torch.arange(1, vocabulary - UNK, dtype=torch.float64)
    return torch.multinomial(share, count, replacement=True, generator=generator) + UNK + 1


def _class_of_word(vocabulary: int, generator: Generator) -> Tensor:
    return torch.multinomial(_prior(9, 0.83), vocabulary, replacement=True, generator=generator)


def _prior(classes: int, head: float) -> Tensor:
    """One frequent class; the others alike."""
    return torch.tensor([head, *[(1 - head) / (classes - 1)] * (classes - 1)], dtype=torch.float64)


def _names(classes: int) -> tuple[str, ...]:
    return tuple(f"class {place}" for place in range(classes))
