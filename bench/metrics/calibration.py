"""How far probabilities keep what they say: the Brier score, reliability, and the calibration error of each class."""

from __future__ import annotations

import numpy as np

from bench.records.record import Reliability

BINS = 15
"""Of equal width; a probability on a bound belongs to the bin below it, 0 to the first."""


def brier(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean over labels of the squared differences summed over classes, 0 to 2: `probabilities (L, C)`, `truth (L,)`.

    >>> brier(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1]))
    0.25
    """
    return float(np.square(_excess(probabilities, truth)).sum() / len(truth))


def reliability(probabilities: np.ndarray, truth: np.ndarray) -> Reliability:
    """How often the likeliest class is right by its probability: `probabilities (L, C)`, `truth (L,)`.

    >>> reliability(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0])).correct[11:]
    [0, 0, 1, 0]
    """
    top = probabilities.argmax(1)
    confidence = probabilities[np.arange(len(truth)), top]
    bins = _bins(confidence)
    labels, summed, correct = (np.bincount(bins, each, BINS) for each in (None, confidence, top == truth))
    return Reliability(labels.tolist(), summed.tolist(), correct.astype(int).tolist())


def expected_calibration_error(found: Reliability) -> float:
    """Mean distance over labels between the mean probability of a bin and the share that is right (Guo et al. 2017, ICML)."""
    return float(np.abs(np.subtract(found.confidence, found.correct)).sum() / sum(found.labels))


def class_errors(probabilities: np.ndarray, truth: np.ndarray) -> list[float]:
    """The calibration error of each class's probability, as against how often it is the truth (Kull et al. 2019, NeurIPS).

    Their distance in each bin of that probability, weighted by the bin's labels: `probabilities (L, C)`, `truth (L,)`.
    """
    labels, classes = probabilities.shape
    bins = _bins(probabilities) + BINS * np.arange(classes)
    summed = np.bincount(bins.ravel(), _excess(probabilities, truth).ravel(), BINS * classes)
    errors: list[float] = (np.abs(summed).reshape(classes, BINS).sum(1) / labels).tolist()
    return errors


def _excess(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Probabilities minus what they should be: 1 of the truth, 0 of the others."""
    excess = probabilities.copy()
    excess[np.arange(len(truth)), truth] -= 1
    return excess


def _bins(probabilities: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.ceil(probabilities * BINS).astype(np.int64) - 1
    return found.clip(0, BINS - 1)
