"""Logits of a stack on validation and test, and the evaluations of them that records keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.metrics.entity_counts import entity_counts
from bench.metrics.part_evaluation import Predictions, confusion_counts, evaluate_probabilities, mean_nll
from bench.metrics.selection_metric import SelectionMetric
from bench.planning.run import Run
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import RAW, Evaluation
from bench.tasks.part import Part, ScoredBatch
from bench.tasks.task import Task
from bench.train.adjustment import TunedAdjustment, tune_adjustments
from bench.train.stack import StackedModel
from strategies import Head


@dataclass(frozen=True)
class FinalEvaluation:
    """The evaluations of a run's chosen and last checkpoints, and the classes that the chosen one predicts on test."""

    evaluations: list[Evaluation]
    predictions: PredictedClasses


@torch.no_grad()
def compute_logits(stack: StackedModel, parts: Sequence[Part]) -> Tensor:
    """Return the logits of every run on its own part, `(S, L, C)` on the stack's device, in the order of the text.

    The parts have equal shapes.
    """
    logits = torch.empty(len(parts), len(parts[0].truth), stack.classes, device=stack.device)
    for batches in _batches_of_all(parts):
        x = _stack_or_expand([scored.batch.x for scored in batches], len(parts)).to(stack.device)
        position, label = batches[0].position.to(stack.device), batches[0].label.to(stack.device)
        logits[:, label] = stack.forward(x).logits[:, position]
    return logits


@torch.no_grad()
def evaluate_parts(stack: StackedModel, parts: Sequence[Part], metrics: Sequence[SelectionMetric]) -> list[Evaluation]:
    """Return the evaluation of every run on its own part, as far as its metric needs it.

    Numbers of all runs are read from the device together, so that the host waits once.
    """
    logits = compute_logits(stack, parts)
    truths = [part.truth.to(stack.device) for part in parts]
    matrices = [
        confusion_counts(run_logits.argmax(-1), truth, stack.classes)
        for run_logits, truth in zip(logits, truths, strict=True)
    ]
    likelihoods = [mean_nll(run_logits, truth) for run_logits, truth in zip(logits, truths, strict=True)]
    return [
        Evaluation(
            "last",
            "valid",
            confusion,
            nll,
            entity_counts(run_logits.argmax(-1), part) if metric.needs_entities else None,
            probabilities=evaluate_probabilities(run_logits.cpu(), part.truth) if metric.needs_probabilities else None,
        )
        for run_logits, part, metric, confusion, nll in zip(
            logits, parts, metrics, torch.stack(matrices).tolist(), torch.stack(likelihoods).tolist(), strict=True
        )
    ]


def evaluate_run(
    run: Run, task: Task, head: Head, valid_logits: Tensor, test_logits: Tensor, last_logits: Tensor
) -> FinalEvaluation:
    """Evaluate the chosen checkpoint on validation and test, raw and under each adjustment, and the last one on test.

    Adjustments that are tuned on validation labels are scored there by cross-fitting, on labels that they were not tuned on.
    A run that is trained on the validation part too is evaluated once, on test.

    `head`, `valid_logits` and `test_logits` `(L, C)` are those of the chosen checkpoint, `last_logits` those of the last one.
    """
    evaluations: list[Evaluation] = []
    test_classes: dict[str, Tensor] = {}
    raw = TunedAdjustment(RAW, 1, _keep_raw, valid_logits, [])
    for tuned in (raw, *tune_adjustments(run, task, head, valid_logits)):
        on_test = Predictions.with_probabilities(tuned.adjust(test_logits), task.test)
        on_both = [on_test.evaluation(task.test, "chosen", "test", tuned.name)]
        if not run.adds_validation:
            on_valid = Predictions.with_probabilities(tuned.valid_logits, task.valid)
            on_both.insert(0, on_valid.evaluation(task.valid, "chosen", "valid", tuned.name))
        evaluations += (replace(evaluation, version=tuned.version, notes=tuned.notes) for evaluation in on_both)
        test_classes[tuned.name] = on_test.classes
    if not run.adds_validation:
        evaluations.append(Predictions.of(last_logits, task.test).evaluation(task.test, "last", "test"))
    return FinalEvaluation(evaluations, _predicted_classes(test_classes, test_logits, task))


def _keep_raw(logits: Tensor) -> Tensor:
    return logits


def _predicted_classes(classes: dict[str, Tensor], logits: Tensor, task: Task) -> PredictedClasses:
    part = task.test
    truth = TrueClasses.of(
        part.truth.numpy(),
        part.labels.num_classes,
        None if part.sentences is None else part.sentences.numpy(),
        None if task.rows is None else task.rows.test,
        task.test_texts,
    )
    by_adjustment = {name: predicted.numpy().astype(truth.classes.dtype) for name, predicted in classes.items()}
    return PredictedClasses(truth, by_adjustment, PredictedClasses.keep(logits.numpy()))


def _batches_of_all(parts: Sequence[Part]) -> Iterator[tuple[ScoredBatch, ...]]:
    """Yield the batches of all parts side by side, or those of one part if all runs share it."""
    shared = all(part is parts[0] for part in parts)
    yield from zip(*(part.scored_batches() for part in (parts[:1] if shared else parts)), strict=True)


def _stack_or_expand(tensors: Sequence[Tensor], S: int) -> Tensor:
    return torch.stack(tuple(tensors)) if len(tensors) == S else tensors[0].expand(S, *tensors[0].shape)
