"""What a stack predicts on a part, and what of it a record keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.metrics.part_evaluation import Predictions, confusion_counts, mean_nll
from bench.planning.run import Run
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import RAW, Evaluation
from bench.tasks.part import Part, Scored
from bench.tasks.task import Task
from bench.train.adjustment import adjustments_of
from bench.train.stack import StackedModel
from strategies import Head


@dataclass(frozen=True)
class Final:
    """What is kept of a finished training: its evaluations, and what its chosen checkpoint predicts on test."""

    evaluations: list[Evaluation]
    predicted: PredictedClasses


@torch.no_grad()
def finished_logits(stack: StackedModel, parts: Sequence[Part]) -> Tensor:
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
def scores(stack: StackedModel, parts: Sequence[Part]) -> list[tuple[list[list[int]], float]]:
    """Every training's confusion matrix and mean negative log-likelihood on its own part, read from the device at once."""
    logits = finished_logits(stack, parts)
    truths = [part.truth.to(stack.device) for part in parts]
    matrices = [
        confusion_counts(row.argmax(-1), truth, stack.classes) for row, truth in zip(logits, truths, strict=True)
    ]
    likelihoods = [mean_nll(row, truth) for row, truth in zip(logits, truths, strict=True)]
    return list(zip(torch.stack(matrices).tolist(), torch.stack(likelihoods).tolist(), strict=True))


def final(
    training: Run, task: Task, head: Head, valid_logits: Tensor, test_logits: Tensor, last_logits: Tensor
) -> Final:
    """The chosen checkpoint on validation and test, as it is and under each adjustment, and the last one on test."""
    evaluations: list[Evaluation] = []
    classes: dict[str, Tensor] = {}
    for name, adjust in (RAW, _as_they_are), *adjustments_of(training, task, head, valid_logits):
        on_valid = Predictions.in_full(adjust(valid_logits), task.valid)
        on_test = Predictions.in_full(adjust(test_logits), task.test)
        evaluations.append(on_valid.evaluation(task.valid, "chosen", "valid", name))
        evaluations.append(on_test.evaluation(task.test, "chosen", "test", name))
        classes[name] = on_test.classes
    evaluations.append(Predictions.of(last_logits, task.test).evaluation(task.test, "last", "test"))
    return Final(evaluations, _predicted(classes, task.test))


def _as_they_are(logits: Tensor) -> Tensor:
    return logits


def _predicted(classes: dict[str, Tensor], part: Part) -> PredictedClasses:
    sentences = None if part.sentences is None else part.sentences.numpy()
    truth = TrueClasses.of(part.truth.numpy(), part.labels.num_classes, sentences)
    return PredictedClasses(truth, {name: each.numpy().astype(truth.classes.dtype) for name, each in classes.items()})


def _side_by_side(parts: Sequence[Part]) -> Iterator[tuple[Scored, ...]]:
    """Batches of all parts, or of the one part that all share."""
    shared = all(part is parts[0] for part in parts)
    yield from zip(*(part.scored() for part in (parts[:1] if shared else parts)), strict=True)


def _stacked(tensors: Sequence[Tensor], S: int) -> Tensor:
    return torch.stack(tuple(tensors)) if len(tensors) == S else tensors[0].expand(S, *tensors[0].shape)
