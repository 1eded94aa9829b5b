"""Predicted classes of a run's chosen checkpoint on test, and the confusion counts of each test sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.records.record import RAW


@dataclass(frozen=True)
class TrueClasses:
    """The true classes (L,) of a test part, in the order of the text."""

    classes: np.ndarray
    num_classes: int
    sentences: np.ndarray | None = None
    """Offsets (N + 1,) of the sentences; None for tasks without text."""

    @classmethod
    def of(cls, classes: np.ndarray, num_classes: int, sentences: np.ndarray | None = None) -> TrueClasses:
        """Build it with the smallest integer type that holds the classes."""
        offsets = None if sentences is None else sentences.astype(np.int32)
        return cls(classes.astype(np.min_scalar_type(num_classes - 1)), num_classes, offsets)


@dataclass(frozen=True)
class PredictedClasses:
    """Predicted classes (L,) by adjustment, `RAW` among them, and the true ones."""

    truth: TrueClasses
    classes: dict[str, np.ndarray]

    def counts(self, adjustment: str = RAW) -> Any:
        """Return the confusion counts of each of N sentences (of N items without text): sparse (N, C * C), truth first.

        >>> truth = TrueClasses(np.array([0, 0, 1]), 2, sentences=np.array([0, 2, 3]))
        >>> PredictedClasses(truth, {"raw": np.array([0, 1, 1])}).counts().toarray().tolist()
        [[1, 1, 0, 0], [0, 0, 0, 1]]
        """
        from scipy.sparse import coo_array

        truth, sentences, C = self.truth.classes.astype(np.int64), self.truth.sentences, self.truth.num_classes
        offsets = np.arange(len(truth) + 1) if sentences is None else sentences
        sentence = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        cell = truth * C + self.classes[adjustment]
        return coo_array((np.ones(len(truth), np.int64), (sentence, cell)), (len(offsets) - 1, C * C)).tocsr()
