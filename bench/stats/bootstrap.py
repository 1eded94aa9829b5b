"""How far a difference in macro-F1 depends on which sentences or items happen to be in the test part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from bench.stats.paired import CONFIDENCE

RESAMPLES = 2000

_BLOCK_BYTES = 2**25
"""Of the weights and confusion matrices that are held at once."""

Counts: TypeAlias = Any
"""An array (N, C, C), truth before prediction, or a sparse matrix or array (N, C * C): scipy types neither."""


@dataclass(frozen=True)
class Interval:
    """A difference with its 95% percentile interval."""

    difference: float
    low: float
    high: float


def macro_f1_intervals(
    counts: Sequence[Counts], baseline: Sequence[Counts], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> list[Interval]:
    """Macro-F1 minus the baseline's: the mean over trainings, then each training, on the same resampled sentences (or items).

    `counts` and `baseline` hold the confusion counts of each of N sentences, one training after the other, in pairs; the
    intervals say nothing about other seeds. Raises a ValueError if they do not fit each other.

    >>> right, wrong = np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])
    >>> better, worse = np.array([right] * 40), np.array([right] * 30 + [wrong] * 10)
    >>> found = macro_f1_intervals([better], [worse], rng=np.random.default_rng(0))[0]
    >>> f"{found.difference:.3f} [{found.low:.3f}, {found.high:.3f}]"
    '0.071 [0.033, 0.125]'
    """
    ours, theirs = list(map(_flat, counts)), list(map(_flat, baseline))
    shapes = {each.shape for each in (*ours, *theirs)}
    if len(shapes) != 1 or len(ours) != len(theirs):
        raise ValueError(
            f"counts of the same sentences and classes are paired; given: {len(ours)} and {len(theirs)} trainings of shapes "
            f"{sorted(shapes)}"
        )
    both = sparse.hstack([*ours, *theirs], format="csr")
    seen = _differences(both.sum(axis=0)[None], len(ours))[0]
    drawn = np.concatenate([_differences(weights @ both, len(ours)) for weights in _weights(both, rng, resamples)])
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return [Interval(*map(float, each)) for each in zip(seen, low, high, strict=True)]


def _flat(counts: Counts) -> sparse.csr_array:
    """Counts (N, C * C)."""
    shape = tuple(counts.shape)
    classes = math.isqrt(shape[1]) if sparse.issparse(counts) else shape[-1]
    if shape not in {(shape[0], classes * classes), (shape[0], classes, classes)} or 0 in shape:
        raise ValueError(f"counts are an array (N, C, C) or sparse (N, C * C), N and C above 0; given: {shape}")
    return sparse.csr_array(counts if sparse.issparse(counts) else counts.reshape(shape[0], -1))


def _weights(counts: sparse.csr_array, rng: np.random.Generator, resamples: int) -> Iterator[np.ndarray]:
    """How often each sentence is in each resample, (R, N) in all, by blocks of R; their size does not change the draws."""
    sentences, columns = counts.shape
    rows = max(1, _BLOCK_BYTES // (8 * (sentences + columns)))
    for start in range(0, resamples, rows):
        yield rng.multinomial(sentences, np.full(sentences, 1 / sentences), min(rows, resamples - start))


def _differences(both: np.ndarray, runs: int) -> np.ndarray:
    """Macro-F1 of the first half of `both (R, 2 * S * C * C)` minus that of the second (R, 1 + S): the mean, then each."""
    classes = math.isqrt(both.shape[1] // (2 * runs))
    of_each = _macro_f1(both.reshape(-1, 2, runs, classes, classes))
    differences: np.ndarray = of_each[:, 0] - of_each[:, 1]
    return np.column_stack([differences.mean(axis=1), differences])


def _macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 over all classes of `confusion (..., C, C)`, 0 for a class that neither occurs nor is predicted."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    labels = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    mean: np.ndarray = (2 * right / np.maximum(labels, 1)).mean(axis=-1)
    return mean
