"""What predicted classes and probabilities on one part of a task come to: the evaluation that a record keeps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bench.metrics.auroc import ranking
from bench.metrics.calibration import brier, class_errors, reliability
from bench.records.record import RAW, Checkpoint, EntityCounts, Evaluation, Probabilities, Split
from bench.tasks.part import Part
from strategies.loss.loss import log_softmax

FAR = 1e300
"""What infinite logits count as, so that an adjustment may rule a class out, or all but one."""


@dataclass(frozen=True)
class Predictions:
    """One training's predicted classes `(L,)` on a part, and its mean negative log-likelihood a label."""

    classes: Tensor
    nll: float
    probabilities: Probabilities | None = None

    @classmethod
    def of(cls, logits: Tensor, part: Part) -> Predictions:
        """What `logits (L, C)` predict, as they are."""
        return cls(logits.argmax(-1), float(mean_nll(logits, part.truth)))

    @classmethod
    def in_full(cls, logits: Tensor, part: Part) -> Predictions:
        """The same, and what their probabilities are worth, which takes some times as long."""
        return replace(cls.of(logits, part), probabilities=probabilities(logits, part.truth))

    def evaluation(self, part: Part, checkpoint: Checkpoint, split: Split, adjustment: str = RAW) -> Evaluation:
        """What a record keeps of it."""
        entities = entity_counts(self.classes, part)
        confusion = confusion_counts(self.classes, part.truth, part.labels.num_classes).tolist()
        return Evaluation(checkpoint, split, confusion, self.nll, entities, adjustment, self.probabilities)


def mean_nll(logits: Tensor, truth: Tensor) -> Tensor:
    return -log_softmax(logits).gather(-1, truth.unsqueeze(-1)).double().mean()


def confusion_counts(classes: Tensor, truth: Tensor, C: int) -> Tensor:
    """`[truth][predicted]` in labels; the size of a bincount would have to be read from a GPU."""
    matrix = torch.zeros(C * C, dtype=torch.int64, device=truth.device)
    return matrix.index_add_(0, truth * C + classes, torch.ones_like(truth)).view(C, C)


def probabilities(logits: Tensor, truth: Tensor) -> Probabilities:
    """What the softmax of `logits (L, C)` is worth beside `truth (L,)`; NaN counts as the largest, as where one is predicted."""
    given = logits.double().nan_to_num(torch.inf, torch.inf, -torch.inf).clamp(-FAR, FAR).softmax(-1).numpy()
    right = truth.numpy()
    ranks = [ranking(np.ascontiguousarray(each), right == c) for c, each in enumerate(given.T)]
    return Probabilities(
        brier(given, right),
        reliability(given, right),
        class_errors(given, right),
        auroc=[area for area, _ in ranks],
        average_precision=[precision for _, precision in ranks],
    )


def entity_counts(classes: Tensor, part: Part) -> dict[str, EntityCounts] | None:
    """Entities by type that `classes (L,)` get right, as seqeval's default mode (conlleval) finds them; None without text."""
    if part.sentences is None:
        return None
    truth, predicted = _true_entities(part), _entities(classes, part)
    counts = [Counter(kind for _, kind, *_ in found) for found in (truth & predicted, predicted, truth)]
    return {kind: EntityCounts(*(count[kind] for count in counts)) for kind in sorted(counts[1] | counts[2])}


@lru_cache(maxsize=4)
def _true_entities(part: Part) -> set[tuple[int, str, int, int]]:
    """Kept, since every training of a task is compared with the same."""
    return _entities(part.truth, part)


def _entities(classes: Tensor, part: Part) -> set[tuple[int, str, int, int]]:
    """(sentence, type, first word, last word) of every entity."""
    from seqeval.metrics.sequence_labeling import get_entities

    assert part.sentences is not None
    names = part.labels.class_names
    sentences = torch.split(classes, part.sentences.diff().tolist())
    return {
        (number, *entity)
        for number, sentence in enumerate(sentences)
        for entity in get_entities([names[c] for c in sentence.tolist()])
    }
