"""Metrics of one evaluation, from its confusion matrix, entity counts and probabilities, as scikit-learn defines them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.calibration import expected_calibration_error
from bench.records.record import EntityCounts, Evaluation, Probabilities

STATED_PERCENT = 90
"""The precision at which tables show the recall of the positive class."""


@dataclass(frozen=True)
class ClassMetrics:
    """Precision, recall and F1 of each class, and its number of labels (C,); 0 where undefined."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


def compute_class_metrics(confusion: Sequence[Sequence[int]] | np.ndarray) -> ClassMetrics:
    """Return the metrics of each class of `confusion (C, C)`, truth by row."""
    counts = np.asarray(confusion, dtype=np.float64)
    right, support, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    return ClassMetrics(_ratio(right, predicted), _ratio(right, support), _f1(counts), support)


def _f1(counts: np.ndarray) -> np.ndarray:
    """Return the F1 of each class (..., C) of `counts (..., C, C)`, 0 for a class that neither occurs nor is predicted."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return _ratio(2 * right, counts.sum(axis=-1) + counts.sum(axis=-2))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return `part / whole`, 0 where the whole is 0."""
    ratio: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return ratio


def find_present(confusion: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Return which classes occur or are predicted, (..., C) of `confusion (..., C, C)`; means over classes leave out the others.

    >>> find_present([[8, 2, 0], [0, 0, 0], [0, 0, 0]]).tolist()
    [True, True, False]
    """
    counts = np.asarray(confusion)
    present: np.ndarray = counts.sum(axis=-1) + counts.sum(axis=-2) > 0
    return present


def macro_f1(confusion: Sequence[Sequence[int]] | np.ndarray) -> float:
    """Return the mean F1 over the classes of `confusion (C, C)` that occur or are predicted, as scikit-learn does.

    >>> round(macro_f1([[8, 2, 0], [1, 1, 0], [0, 0, 0]]), 3)
    0.621
    """
    return float(macro_f1_scores(confusion))


def macro_f1_scores(confusions: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Return the macro-F1 of each of many confusion matrices: `(..., C, C)` -> `(...)`; 0 where there are no labels."""
    scores = _f1(np.asarray(confusions, dtype=np.float64))
    return _ratio(scores.sum(axis=-1), find_present(confusions).sum(axis=-1, dtype=np.float64))


def compute_metrics(
    confusion: Sequence[Sequence[int]],
    nll: float,
    entities: Mapping[str, EntityCounts] | None = None,
    probabilities: Probabilities | None = None,
) -> dict[str, float]:
    """Return the metrics of an evaluation by the columns of `bench.metrics.metric.METRICS`.

    Classes come head first, so class 0 is the majority of the training part. F1 scores are averaged over the classes that occur
    or are predicted, recalls over those that occur. Entity metrics are micro-averaged over entity types. Metrics that are not
    defined are left out: those of entities where there are none, those of minority classes where none is present, and those of
    the positive class (class 1) where there are more than two.
    """
    by_class, counts = compute_class_metrics(confusion), np.asarray(confusion, dtype=np.float64)
    occurs, minority = by_class.support > 0, find_present(confusion)[1:]
    metrics = {
        "macro_f1": macro_f1(confusion),
        **({"macro_f1_minority": float(by_class.f1[1:][minority].mean())} if minority.any() else {}),
        "accuracy": float(np.trace(counts) / counts.sum()),
        "balanced_accuracy": float(by_class.recall[occurs].mean()),
        "worst_class_recall": float(by_class.recall[occurs].min()),
        "nll": nll,
    }
    if probabilities is not None:
        metrics["calibration_error"] = expected_calibration_error(probabilities.reliability)
    if len(counts) == 2:
        metrics |= {"positive_f1": float(by_class.f1[1])} | _positive_ranking(confusion, probabilities)
    return metrics | ({} if entities is None else compute_entity_metrics(entities.values()))


def _positive_ranking(confusion: Sequence[Sequence[int]], probabilities: Probabilities | None) -> dict[str, float]:
    """Return how well the probability of class 1 of two ranks its labels first, as far as it was recorded and is defined."""
    if probabilities is None:
        return {}
    found = {
        "average_precision": probabilities.average_precision[1],
        "recall_at_precision": recall_at_precision(confusion, probabilities, STATED_PERCENT),
    }
    return {name: value for name, value in found.items() if value is not None}


def recall_at_precision(confusion: Sequence[Sequence[int]], probabilities: Probabilities, percent: int) -> float | None:
    """Return the highest recall of class 1 of two at a precision of at least so many percent.

    None where class 1 does not occur, or in records from before this was evaluated.
    """
    positives, found = sum(confusion[1]), probabilities.found_at_precision
    return None if found is None or positives == 0 else found[percent - 1] / positives


def compute_entity_metrics(by_type: Collection[EntityCounts]) -> dict[str, float]:
    """Return precision, recall and F1 over the entities of some types together, 0 where undefined, as seqeval does."""
    correct = sum(counts.correct for counts in by_type)
    predicted = sum(counts.predicted for counts in by_type)
    actual = sum(counts.actual for counts in by_type)
    return {
        "entity_precision": correct / predicted if predicted else 0.0,
        "entity_recall": correct / actual if actual else 0.0,
        "entity_f1": 2 * correct / (predicted + actual) if predicted + actual else 0.0,
    }


def compute_probability_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return calibration and ranking metrics by name; empty where probabilities were not evaluated.

    `brier`, `calibration_error` (of the likeliest class) and `class_calibration_error` (mean over the classes that occur or are
    predicted) are better the lower they are; `auroc` and `average_precision` the higher. The last two compare one class with
    all others, and are averaged over the classes for which both occur; of two classes, average precision is that of class 1.
    """
    probabilities = evaluation.probabilities
    if probabilities is None:
        return {}
    calibration = {
        "brier": probabilities.brier,
        "calibration_error": expected_calibration_error(probabilities.reliability),
        "class_calibration_error": float(
            np.mean(np.array(probabilities.class_errors)[find_present(evaluation.confusion)])
        ),
    }
    is_binary = len(evaluation.confusion) == 2
    precisions = probabilities.average_precision[1:] if is_binary else probabilities.average_precision
    ranking = {"auroc": probabilities.auroc, "average_precision": precisions}
    defined = {name: [value for value in by_class if value is not None] for name, by_class in ranking.items()}
    return calibration | {name: float(np.mean(values)) for name, values in defined.items() if values}


def split_in_thirds(classes: int) -> dict[str, range]:
    """Split the classes, from the most to the least frequent one in training, into head, middle and tail.

    Head and tail have a third each, rounded, the middle the rest; with two classes there is no middle.

    >>> {third: list(members) for third, members in split_in_thirds(10).items()}
    {'head': [0, 1, 2], 'middle': [3, 4, 5, 6], 'tail': [7, 8, 9]}
    """
    outer = round(classes / 3)
    cuts = {"head": range(outer), "middle": range(outer, classes - outer), "tail": range(classes - outer, classes)}
    return {third: members for third, members in cuts.items() if members}


def compute_third_metrics(confusion: Sequence[Sequence[int]]) -> dict[str, float]:
    """Return mean recall and precision of head, middle and tail (see `split_in_thirds`).

    Recalls are over the classes that occur, precisions over those that occur or are predicted.

    >>> compute_third_metrics([[8, 2], [1, 1]])
    {'head_recall': 0.8, 'head_precision': 0.888..., 'tail_recall': 0.5, 'tail_precision': 0.333...}
    """
    by_class = compute_class_metrics(confusion)
    averaged = {
        "recall": (by_class.recall, by_class.support > 0),
        "precision": (by_class.precision, find_present(confusion)),
    }
    return {
        f"{third}_{name}": float(values[members][counted[members]].mean())
        for third, members in split_in_thirds(len(by_class.support)).items()
        for name, (values, counted) in averaged.items()
        if counted[members].any()
    }
