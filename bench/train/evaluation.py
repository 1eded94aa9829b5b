"""What a stack predicts on a part, and what of it a record keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.record import RAW, Checkpoint, EntityCounts, Evaluation, Split
from bench.tasks.part import Part, Scored
from bench.tasks.task import Task
from bench.train.stack import Stack
from bench.training import Training
from strategies import Head
from strategies.loss.loss import log_softmax


@dataclass(frozen=True)
class Predictions:
    """One training's predicted classes `(L,)` on a part, and its mean negative log-likelihood a label."""

    classes: Tensor
    nll: float

    @classmethod
    def of(cls, logits: Tensor, part: Part) -> Predictions:
        """What `logits (L, C)` predict, as they are."""
        return cls(logits.argmax(-1), float(_nll(logits, part.truth)))

    def evaluation(self, part: Part, checkpoint: Checkpoint, split: Split, adjustment: str = RAW) -> Evaluation:
        """What a record keeps of it."""
        entities = entity_counts(self.classes, part)
        confusion = _confusion(self.classes, part.truth, part.labels.num_classes).tolist()
        return Evaluation(checkpoint, split, confusion, self.nll, entities, adjustment)


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


def adjusted(
    training: Training, task: Task, head: Head, valid_logits: Tensor, test_logits: Tensor
) -> Iterator[Evaluation]:
    """What the chosen checkpoint predicts on validation and test under each adjustment; tuned on validation alone."""
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
        for_valid, for_test = (
            Predictions.of(adjust(valid_logits), task.valid),
            Predictions.of(adjust(test_logits), task.test),
        )
        yield for_valid.evaluation(task.valid, "chosen", "valid", str(strategy))
        yield for_test.evaluation(task.test, "chosen", "test", str(strategy))


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
    truth, predicted = (_entities(each, part) for each in (part.truth, classes))
    counts = [Counter(kind for _, kind, *_ in found) for found in (truth & predicted, predicted, truth)]
    return {kind: EntityCounts(*(count[kind] for count in counts)) for kind in sorted(counts[1] | counts[2])}


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
