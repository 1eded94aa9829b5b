"""Measures of one evaluation, from its confusion matrix, entity counts and probabilities, as scikit-learn counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.calibration import expected_calibration_error
from bench.records.record import EntityCounts, Probabilities


@dataclass(frozen=True)
class ByClass:
    """Precision, recall and F1 of each class, and the labels of each class (C,); 0 where undefined."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


def by_class(confusion: Sequence[Sequence[int]] | np.ndarray) -> ByClass:
    """`confusion (C, C)`, truth by row, to measures of each class."""
    counts = np.asarray(confusion, dtype=np.float64)
    right, support, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    return ByClass(_ratio(right, predicted), _ratio(right, support), _ratio(2 * right, support + predicted), support)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, 0 where the whole is 0."""
    ratio: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return ratio


def macro_f1(confusion: Sequence[Sequence[int]] | np.ndarray) -> float:
    """Mean F1 over all classes.

    >>> round(macro_f1([[8, 2], [1, 1]]), 3)
    0.621
    """
    return float(by_class(confusion).f1.mean())


def measures(
    confusion: Sequence[Sequence[int]], nll: float, entities: Mapping[str, EntityCounts] | None = None
) -> dict[str, float]:
    """Every measure of the quality table by name. Classes come head first, so class 0 is the majority of the training part.

    Recalls are over the classes that occur; entity measures are micro-averaged over entity types.
    """
    each, counts = by_class(confusion), np.asarray(confusion, dtype=np.float64)
    occurs = each.support > 0
    found = {
        "macro_f1": float(each.f1.mean()),
        "macro_f1_minority": float(each.f1[1:].mean()),
        "accuracy": float(np.trace(counts) / counts.sum()),
        "balanced_accuracy": float(each.recall[occurs].mean()),
        "worst_class_recall": float(each.recall[occurs].min()),
        "nll": nll,
    }
    return found | ({} if entities is None else _entity_measures(entities))


def _entity_measures(entities: Mapping[str, EntityCounts]) -> dict[str, float]:
    correct = sum(each.correct for each in entities.values())
    predicted = sum(each.predicted for each in entities.values())
    actual = sum(each.actual for each in entities.values())
    return {
        "entity_precision": correct / predicted if predicted else 0.0,
        "entity_recall": correct / actual if actual else 0.0,
        "entity_f1": 2 * correct / (predicted + actual) if predicted + actual else 0.0,
    }


def of_probabilities(found: Probabilities | None) -> dict[str, float]:
    """Calibration and ranking by name: the smaller the better, but for the last two; nothing where they were not measured.

    `calibration_error` is the likeliest class's, `class_calibration_error` the mean over all classes; ranks are of one class
    against all others, averaged over the classes that have some of both.
    """
    if found is None:
        return {}
    calibration = {
        "brier": found.brier,
        "calibration_error": expected_calibration_error(found.reliability),
        "class_calibration_error": float(np.mean(found.class_errors)),
    }
    ranks = {"auroc": found.auroc, "average_precision": found.average_precision}
    defined = {name: [each for each in of_class if each is not None] for name, of_class in ranks.items()}
    return calibration | {name: float(np.mean(each)) for name, each in defined.items() if each}


def thirds(classes: int) -> dict[str, range]:
    """Head, middle and tail: classes from head to tail by their labels in the training part, cut in three.

    Head and tail have a third each, rounded, the middle what is left; two classes have no middle.

    >>> {third: list(members) for third, members in thirds(10).items()}
    {'head': [0, 1, 2], 'middle': [3, 4, 5, 6], 'tail': [7, 8, 9]}
    """
    outer = round(classes / 3)
    cuts = {"head": range(outer), "middle": range(outer, classes - outer), "tail": range(classes - outer, classes)}
    return {third: members for third, members in cuts.items() if members}


def by_third(confusion: Sequence[Sequence[int]]) -> dict[str, float]:
    """Mean recall and precision of head, middle and tail (see `thirds`) over the classes that occur, by name.

    >>> by_third([[8, 2], [1, 1]])
    {'head_recall': 0.8, 'head_precision': 0.888..., 'tail_recall': 0.5, 'tail_precision': 0.333...}
    """
    each = by_class(confusion)
    found: dict[str, float] = {}
    for third, members in thirds(len(each.support)).items():
        occurring = [c for c in members if each.support[c] > 0]
        if occurring:
            found[f"{third}_recall"] = float(each.recall[occurring].mean())
            found[f"{third}_precision"] = float(each.precision[occurring].mean())
    return found
