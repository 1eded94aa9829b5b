"""Bootstrap over the test part: how far a difference in macro-F1 depends on which sentences or items it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from bench.metrics.classification import macro_f1_scores
from bench.stats.paired_difference import CONFIDENCE

RESAMPLES = 2000

_BLOCK_BYTES = 2**25
"""Memory for the weights and confusion matrices of one block of resamples."""

Counts: TypeAlias = Any
"""An array (N, C, C), truth before prediction, or a sparse matrix or array (N, C * C); scipy has types for neither."""


@dataclass(frozen=True)
class Interval:
    """A difference with its 95% percentile interval."""

    difference: float
    low: float
    high: float


def macro_f1_intervals(
    counts: Sequence[Counts], baseline: Sequence[Counts], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> list[Interval]:
    """Return macro-F1 minus the baseline's, with intervals: first the mean over runs, then each run.

    `counts` and `baseline` hold, run by run and paired by seed, the confusion counts of each of N sentences (or items). All
    runs are evaluated on the same resampled sentences; the models stay fixed, so the intervals say nothing about other seeds.
    Raises a ValueError if the counts do not fit each other.

    >>> right, wrong = np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])
    >>> better, worse = np.array([right] * 40), np.array([right] * 30 + [wrong] * 10)
    >>> interval = macro_f1_intervals([better], [worse], rng=np.random.default_rng(0))[0]
    >>> f"{interval.difference:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
    '0.571 [0.533, 0.625]'
    """
    ours, theirs = list(map(_flat, counts)), list(map(_flat, baseline))
    shapes = {of_run.shape for of_run in (*ours, *theirs)}
    if len(shapes) != 1 or len(ours) != len(theirs):
        raise ValueError(
            f"counts of the same sentences and classes are paired; given: {len(ours)} and {len(theirs)} runs of shapes "
            f"{sorted(shapes)}"
        )
    both = sparse.hstack([*ours, *theirs], format="csr")
    observed = _differences(both.sum(axis=0)[None], len(ours))[0]
    resampled = np.concatenate([_differences(weights @ both, len(ours)) for weights in _weights(both, rng, resamples)])
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return [Interval(*map(float, numbers)) for numbers in zip(observed, low, high, strict=True)]


def _flat(counts: Counts) -> sparse.csr_array:
    """Return the counts as a sparse array (N, C * C)."""
    shape = tuple(counts.shape)
    classes = math.isqrt(shape[1]) if sparse.issparse(counts) else shape[-1]
    if shape not in {(shape[0], classes * classes), (shape[0], classes, classes)} or 0 in shape:
        raise ValueError(f"counts are an array (N, C, C) or sparse (N, C * C), N and C above 0; given: {shape}")
    return sparse.csr_array(counts if sparse.issparse(counts) else counts.reshape(shape[0], -1))


def _weights(counts: sparse.csr_array, rng: np.random.Generator, resamples: int) -> Iterator[np.ndarray]:
    """Yield how often each sentence is in each resample, (R, N) per block; the size of a block does not change the draws."""
    sentences, columns = counts.shape
    rows = max(1, _BLOCK_BYTES // (8 * (sentences + columns)))
    for start in range(0, resamples, rows):
        yield rng.multinomial(sentences, np.full(sentences, 1 / sentences), min(rows, resamples - start))


def _differences(both: np.ndarray, runs: int) -> np.ndarray:
    """Return macro-F1 of the first half of `both (R, 2 * S * C * C)` minus the second's, (R, 1 + S): the mean, then each run."""
    classes = math.isqrt(both.shape[1] // (2 * runs))
    scores = macro_f1_scores(both.reshape(-1, 2, runs, classes, classes))
    differences: np.ndarray = scores[:, 0] - scores[:, 1]
    return np.column_stack([differences.mean(axis=1), differences])
