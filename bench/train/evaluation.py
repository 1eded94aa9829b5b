"""What a stack predicts on a part, and what of it a record keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bench.metrics.auroc import ranking
from bench.metrics.calibration import brier, class_errors, reliability
from bench.planning.run import Training
from bench.records.predictions import Predicted, Truth
from bench.records.record import RAW, Checkpoint, EntityCounts, Evaluation, Probabilities, Split
from bench.tasks.part import Part, Scored
from bench.tasks.task import Task
from bench.train.leakage import one_by_one
from bench.train.stack import Stack
from strategies import Head
from strategies.loss.loss import log_softmax
from strategies.strategy import Adjustment

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
        return cls(logits.argmax(-1), float(_nll(logits, part.truth)))

    @classmethod
    def in_full(cls, logits: Tensor, part: Part) -> Predictions:
        """The same, and what their probabilities are worth, which takes some times as long."""
        return replace(cls.of(logits, part), probabilities=probabilities(logits, part.truth))

    def evaluation(self, part: Part, checkpoint: Checkpoint, split: Split, adjustment: str = RAW) -> Evaluation:
        """What a record keeps of it."""
        entities = entity_counts(self.classes, part)
        confusion = _confusion(self.classes, part.truth, part.labels.num_classes).tolist()
        return Evaluation(checkpoint, split, confusion, self.nll, entities, adjustment, self.probabilities)


@dataclass(frozen=True)
class Final:
    """What is kept of a finished training: its evaluations, and what its chosen checkpoint predicts on test."""

    evaluations: list[Evaluation]
    predicted: Predicted


@torch.no_grad()
def finished_logits(stack: Stack, parts: Sequence[Part]) -> Tensor:
    """Every training's logits on its own part, `(S, L, C)` on the stack's device, in the order of the text.

    The parts have equal shapes.
    """
    logits = torch.empty(len(parts), len(parts[0].truth), stack.classes, device=stack.device)
    for scored in _side_by_side(parts):
        x = _stacked([each.batch.x for each in scored], len(parts)).to(stack.device)
        found = stack.forward(x).logits[:, scored[0].position.to(stack.device)]
        logits[:, scored[0].label.to(stack.device)] = found
    return logits


@torch.no_grad()
def scores(stack: Stack, parts: Sequence[Part]) -> list[tuple[list[list[int]], float]]:
    """Every training's confusion matrix and mean negative log-likelihood on its own part, read from the device at once."""
    logits = finished_logits(stack, parts)
    truths = [part.truth.to(stack.device) for part in parts]
    matrices = [_confusion(row.argmax(-1), truth, stack.classes) for row, truth in zip(logits, truths, strict=True)]
    likelihoods = [_nll(row, truth) for row, truth in zip(logits, truths, strict=True)]
    return list(zip(torch.stack(matrices).tolist(), torch.stack(likelihoods).tolist(), strict=True))


def _nll(logits: Tensor, truth: Tensor) -> Tensor:
    return -log_softmax(logits).gather(-1, truth.unsqueeze(-1)).double().mean()


def _confusion(classes: Tensor, truth: Tensor, C: int) -> Tensor:
    """`[truth][predicted]` in labels; the size of a bincount would have to be read from a GPU."""
    matrix = torch.zeros(C * C, dtype=torch.int64, device=truth.device)
    return matrix.index_add_(0, truth * C + classes, torch.ones_like(truth)).view(C, C)


def final(
    training: Training, task: Task, head: Head, valid_logits: Tensor, test_logits: Tensor, last_logits: Tensor
) -> Final:
    """The chosen checkpoint on validation and test, as it is and under each adjustment, and the last one on test."""
    evaluations: list[Evaluation] = []
    classes: dict[str, Tensor] = {}
    for name, adjust in (RAW, _as_they_are), *adjusted(training, task, head, valid_logits):
        on_valid = Predictions.in_full(adjust(valid_logits), task.valid)
        on_test = Predictions.in_full(adjust(test_logits), task.test)
        evaluations.append(on_valid.evaluation(task.valid, "chosen", "valid", name))
        evaluations.append(on_test.evaluation(task.test, "chosen", "test", name))
        classes[name] = on_test.classes
    evaluations.append(Predictions.of(last_logits, task.test).evaluation(task.test, "last", "test"))
    return Final(evaluations, _predicted(classes, task.test))


def adjusted(training: Training, task: Task, head: Head, valid_logits: Tensor) -> Iterator[tuple[str, Adjustment]]:
    """What the training asks to be done to its finished logits, by name; tuned on validation alone."""
    labels = task.train.labels
    prior = training.strategy.effective_prior(labels, labels.counts())
    target_prior = torch.bincount(task.valid.truth, minlength=labels.num_classes).double() / len(task.valid.truth)
    for strategy in training.adjustments:
        adjust = strategy.adjust(
            head,
            train_prior=prior,
            target_prior=target_prior,
            valid_logits=valid_logits,
            valid_targets=task.valid.truth,
        )
        assert adjust is not None, f"{strategy} adjusts nothing"
        yield str(strategy), one_by_one(adjust, str(strategy))


def _as_they_are(logits: Tensor) -> Tensor:
    return logits


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


def _predicted(classes: dict[str, Tensor], part: Part) -> Predicted:
    sentences = None if part.sentences is None else part.sentences.numpy()
    truth = Truth.of(part.truth.numpy(), part.labels.num_classes, sentences)
    return Predicted(truth, {name: each.numpy().astype(truth.classes.dtype) for name, each in classes.items()})


def _side_by_side(parts: Sequence[Part]) -> Iterator[tuple[Scored, ...]]:
    """Batches of all parts, or of the one part that all share."""
    shared = all(part is parts[0] for part in parts)
    yield from zip(*(part.scored() for part in (parts[:1] if shared else parts)), strict=True)


def _stacked(tensors: Sequence[Tensor], S: int) -> Tensor:
    return torch.stack(tuple(tensors)) if len(tensors) == S else tensors[0].expand(S, *tensors[0].shape)


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
