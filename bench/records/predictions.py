"""Predicted classes and probabilities of a run's chosen checkpoint on test, and the confusion counts of each test sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from bench.records.record import RAW

MOST_PROBABILITIES = 4_000_000
"""Probabilities of a run that are kept at most, in 16 bits each: 8 MB before compression. Of more, none are."""


@dataclass(frozen=True)
class TrueClasses:
    """The true classes (L,) of a test part, in the order of the text."""

    classes: np.ndarray
    num_classes: int
    sentences: np.ndarray | None = None
    """Offsets (N + 1,) of the sentences; None for tasks without text."""
    rows: np.ndarray | None = None
    """Number (L,) of each row in the user's file, counted from 0; None where items are no rows of a file."""
    texts: tuple[str, ...] | None = field(default=None, repr=False)
    """Word, or beginning of the text, of each label; None where there is none."""

    @classmethod
    def of(
        cls,
        classes: np.ndarray,
        num_classes: int,
        sentences: np.ndarray | None = None,
        rows: np.ndarray | None = None,
        texts: Iterable[str] | None = None,
    ) -> TrueClasses:
        """Build it with the smallest integer types that hold the numbers."""
        return cls(
            classes.astype(np.min_scalar_type(num_classes - 1)),
            num_classes,
            None if sentences is None else sentences.astype(np.int32),
            None if rows is None else rows.astype(np.min_scalar_type(int(rows.max(initial=0)))),
            None if texts is None else tuple(texts),
        )

    @property
    def items(self) -> np.ndarray:
        """Numbers (L,) that tell which item is which: those of the rows, or else the place in test."""
        return np.arange(len(self.classes)) if self.rows is None else self.rows


@dataclass(frozen=True)
class PredictedClasses:
    """Predicted classes (L,) by adjustment, `RAW` among them, and the true ones."""

    truth: TrueClasses
    classes: dict[str, np.ndarray]
    probabilities: np.ndarray | None = None
    """Of the classes without an adjustment, (L, C) float16, to a thousandth; None where they are too many, and in older files."""

    @staticmethod
    def keep(logits: np.ndarray) -> np.ndarray | None:
        """Return the probabilities of logits `(L, C)`, to a thousandth; None where they are too many to be kept.

        >>> PredictedClasses.keep(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
        """
        if logits.size > MOST_PROBABILITIES:
            return None
        from scipy.special import softmax

        probabilities = softmax(np.nan_to_num(logits.astype(np.float32)), axis=-1)
        kept: np.ndarray = probabilities.round(3).astype(
            np.float16
        )  # rounded, they take a third of the room in the file
        return kept

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


PredictionsOf: TypeAlias = Callable[[str], PredictedClasses | None]
"""The test predictions of the run with this id; None where they were not kept."""


def no_predictions(id: str) -> None:
    """Return None: no predictions are kept of the run of this id."""
