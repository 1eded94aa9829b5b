"""Calibration of probabilities: Brier score, reliability, and the calibration error of each class."""

from __future__ import annotations

import math

import numpy as np

from bench.records.record import Reliability

BINS = 15
"""Bins of equal width from 0 to 1; a probability on a bound belongs to the bin below it, 0 to the first."""


def brier_score(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over labels of the squared differences summed over classes, 0 to 2: `probabilities (L, C)`, `truth (L,)`.

    >>> brier_score(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1]))
    0.25
    """
    return float(np.square(_excess(probabilities, truth)).sum() / len(truth))


def compute_reliability(probabilities: np.ndarray, truth: np.ndarray) -> Reliability:
    """Count how often the likeliest class is right, by bins of its probability: `probabilities (L, C)`, `truth (L,)`.

    >>> compute_reliability(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0])).correct[11:]
    [0, 0, 1, 0]
    """
    top = probabilities.argmax(1)
    confidence = probabilities[np.arange(len(truth)), top]
    bins = _bins(confidence)
    labels, summed, correct = (np.bincount(bins, weights, BINS) for weights in (None, confidence, top == truth))
    return Reliability(labels.tolist(), summed.tolist(), correct.astype(int).tolist())


def expected_calibration_error(reliability: Reliability) -> float:
    """Return the mean over labels of the gap between a bin's mean probability and its accuracy (Guo et al. 2017, ICML).

    NaN without labels.
    """
    labels = sum(reliability.labels)
    return (
        float(np.abs(np.subtract(reliability.confidence, reliability.correct)).sum() / labels) if labels else math.nan
    )


def class_calibration_errors(probabilities: np.ndarray, truth: np.ndarray) -> list[float]:
    """Return the calibration error of each class's probability (Kull et al. 2019, NeurIPS).

    It is the gap between that probability and how often the class is the truth, per bin of the probability and weighted by the
    labels of the bin: `probabilities (L, C)`, `truth (L,)`.
    """
    labels, classes = probabilities.shape
    bins = _bins(probabilities) + BINS * np.arange(classes)
    summed = np.bincount(bins.ravel(), _excess(probabilities, truth).ravel(), BINS * classes)
    errors: list[float] = (np.abs(summed).reshape(classes, BINS).sum(1) / labels).tolist()
    return errors


def _excess(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the probabilities minus the one-hot truth."""
    excess = probabilities.copy()
    excess[np.arange(len(truth)), truth] -= 1
    return excess


def _bins(probabilities: np.ndarray) -> np.ndarray:
    bins: np.ndarray = np.ceil(probabilities * BINS).astype(np.int64) - 1
    return bins.clip(0, BINS - 1)
