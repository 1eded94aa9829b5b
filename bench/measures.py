"""Measures of one evaluation, from its confusion matrix and its entity counts, as scikit-learn counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.record import EntityCounts


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
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


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
