"""From logits on one part of a task to the evaluation that a record keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bench.metrics.auroc import auroc_and_average_precision
from bench.metrics.calibration import brier_score, class_calibration_errors, compute_reliability
from bench.metrics.entity_counts import entity_counts
from bench.metrics.precision_curve import count_found
from bench.records.record import RAW, Checkpoint, Evaluation, Probabilities, Split
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
        found_at_precision=count_found(predicted[:, 1], right == 1) if predicted.shape[1] == 2 else None,
    )
