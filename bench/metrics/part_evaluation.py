"""From logits on one part of a task to the evaluation that a record keeps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bench.metrics.auroc import auroc_and_average_precision
from bench.metrics.calibration import brier_score, class_calibration_errors, compute_reliability
from bench.records.record import RAW, Checkpoint, EntityCounts, Evaluation, Probabilities, Split
from bench.tasks.part import Part
from strategies.loss_function import log_softmax

FAR = 1e300
"""Stands for infinite logits, by which an adjustment may rule out a class, or all classes but one."""


@dataclass(frozen=True)
class Predictions:
    """Predicted classes `(L,)` of one run on a part, and the mean negative log-likelihood per label."""

    classes: Tensor
    nll: float
    probabilities: Probabilities | None = None

    @classmethod
    def of(cls, logits: Tensor, part: Part) -> Predictions:
        """Predict by `logits (L, C)`."""
        return cls(logits.argmax(-1), float(mean_nll(logits, part.truth)))

    @classmethod
    def with_probabilities(cls, logits: Tensor, part: Part) -> Predictions:
        """Predict by `logits (L, C)`, and evaluate their probabilities too, which takes several times as long."""
        return replace(cls.of(logits, part), probabilities=evaluate_probabilities(logits, part.truth))

    def evaluation(self, part: Part, checkpoint: Checkpoint, split: Split, adjustment: str = RAW) -> Evaluation:
        """Return the evaluation that a record keeps."""
        entities = entity_counts(self.classes, part)
        confusion = confusion_counts(self.classes, part.truth, part.labels.num_classes).tolist()
        return Evaluation(checkpoint, split, confusion, self.nll, entities, adjustment, self.probabilities)


def mean_nll(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean negative log-likelihood per label, a scalar on the device of `logits (L, C)`."""
    return -log_softmax(logits).gather(-1, truth.unsqueeze(-1)).double().mean()


def confusion_counts(classes: Tensor, truth: Tensor, C: int) -> Tensor:
    """Return `[truth][predicted]` in labels, `(C, C)`.

    Not by `torch.bincount`, whose size depends on the data: the host would wait for a GPU.
    """
    matrix = torch.zeros(C * C, dtype=torch.int64, device=truth.device)
    return matrix.index_add_(0, truth * C + classes, torch.ones_like(truth)).view(C, C)


def evaluate_probabilities(logits: Tensor, truth: Tensor) -> Probabilities:
    """Evaluate the softmax of `logits (L, C)` against `truth (L,)`; NaN counts as the largest logit, as it does for argmax."""
    predicted = logits.double().nan_to_num(torch.inf, torch.inf, -torch.inf).clamp(-FAR, FAR).softmax(-1).numpy()
    right = truth.numpy()
    by_class = [
        auroc_and_average_precision(np.ascontiguousarray(of_class), right == c)
        for c, of_class in enumerate(predicted.T)
    ]
    return Probabilities(
        brier_score(predicted, right),
        compute_reliability(predicted, right),
        class_calibration_errors(predicted, right),
        auroc=[area for area, _ in by_class],
        average_precision=[precision for _, precision in by_class],
    )


def entity_counts(classes: Tensor, part: Part) -> dict[str, EntityCounts] | None:
    """Count entities by type as seqeval's default mode (conlleval) does, for the predicted `classes (L,)`; None without text."""
    if part.sentences is None:
        return None
    truth, predicted = _true_entities(part), _entities(classes, part)
    correct, of_predicted, of_truth = (
        Counter(kind for _, kind, *_ in entities) for entities in (truth & predicted, predicted, truth)
    )
    kinds = sorted(of_predicted | of_truth)
    return {kind: EntityCounts(correct[kind], of_predicted[kind], of_truth[kind]) for kind in kinds}


@lru_cache(maxsize=4)
def _true_entities(part: Part) -> set[tuple[int, str, int, int]]:
    """Return the true entities; cached, since every run of a task is compared with the same ones."""
    return _entities(part.truth, part)


def _entities(classes: Tensor, part: Part) -> set[tuple[int, str, int, int]]:
    """Return (sentence, type, first word, last word) of every entity."""
    from seqeval.metrics.sequence_labeling import get_entities

    assert part.sentences is not None
    names = part.labels.class_names
    sentences = torch.split(classes, part.sentences.diff().tolist())
    return {
        (number, *entity)
        for number, sentence in enumerate(sentences)
        for entity in get_entities([names[c] for c in sentence.tolist()])
    }
