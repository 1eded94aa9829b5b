"""A classifier fitted to the rows of a pool: its log-probabilities stand where a neural model's logits do."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.errors import InputError
from bench.models.seeded_rng import isolated_numpy_rng, isolated_rng

LEAST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Stands for a probability of 0, as in scikit-learn's log_loss: what a forest never votes for would have no logarithm."""


@dataclass(frozen=True)
class FittedClassifier:
    """A fitted classifier for C classes, some of which it may not have seen: `seen (k,)` are the ids of those it knows."""

    name: str
    classifier: Any
    seen: Tensor
    classes: int

    def log_probabilities(self, x: Tensor) -> Tensor:
        """Return the logarithms of the probabilities of all classes, `(N, C)` float64, for the rows `x (N, F)`.

        A class without a training row has the probability 0.
        """
        with _one_quiet_thread():
            probabilities = np.asarray(self.classifier.predict_proba(x.numpy()), dtype=np.float64)
        columns = np.asarray(getattr(self.classifier, "classes_", np.arange(len(self.seen))))
        self._check(probabilities, columns, len(x))
        known = torch.zeros(len(x), len(self.seen), dtype=torch.float64)
        known[:, torch.from_numpy(columns.astype(np.int64))] = torch.from_numpy(probabilities)
        by_class = torch.zeros(len(x), self.classes, dtype=torch.float64)
        by_class[:, self.seen] = known
        return by_class.clamp_min(LEAST_PROBABILITY).log()

    def _check(self, probabilities: np.ndarray, columns: np.ndarray, rows: int) -> None:
        """Refuse what is not a probability for each row and class, in the order of `classes_`."""
        if probabilities.shape != (rows, len(columns)):
            raise InputError(
                f"{self.name}: predict_proba must return one row per item and one column per class of classes_, "
                f"{(rows, len(columns))}; it returned {probabilities.shape}"
            )
        if not set(columns.tolist()) <= set(range(len(self.seen))):
            raise InputError(
                f"{self.name}: its classes_ are {columns.tolist()}, but it was fitted to the class numbers 0 to "
                f"{len(self.seen) - 1}; leave the classes as they are given"
            )
        sums = probabilities.sum(1)
        if not (np.isfinite(probabilities).all() and (probabilities >= 0).all() and np.allclose(sums, 1, atol=1e-3)):
            raise InputError(
                f"{self.name}: predict_proba must return probabilities that are finite, 0 or more, and sum to 1; it returned "
                f"values from {probabilities.min():g} to {probabilities.max():g} with sums from {sums.min():g} to {sums.max():g}"
            )


def fit_classifier(
    name: str, classifier: Any, x: Tensor, y: Tensor, weights: Tensor | None, *, classes: int, seed: int
) -> FittedClassifier:
    """Fit a classifier to the rows `x (N, F)` of the classes `y (N,)`, with `weights (N,)` as its sample_weight.

    Classes are numbered anew without those that `y` lacks, since some libraries want numbers without a gap. `seed` is that of
    the global random numbers, which some draw from; it leaves those of the caller as they were.
    """
    seen, numbers = torch.unique(y, return_inverse=True)
    named = {} if weights is None else {weight_argument(classifier): weights.numpy()}
    with _one_quiet_thread(), isolated_rng(seed, torch.device("cpu")), isolated_numpy_rng(seed):
        classifier.fit(x.numpy(), numbers.numpy(), **named)
    return FittedClassifier(name, classifier, seen, classes)


def weight_argument(classifier: Any) -> str:
    """Return the name under which `fit` takes weights of rows: a pipeline hands them to its last step.

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.linear_model import LogisticRegression
    >>> weight_argument(make_pipeline(LogisticRegression()))
    'logisticregression__sample_weight'
    """
    from sklearn.pipeline import Pipeline

    if isinstance(classifier, Pipeline):
        last, step = classifier.steps[-1]
        return f"{last}__{weight_argument(step)}"
    return "sample_weight"


def has_sample_weight(classifier: Any) -> bool:
    """Whether `fit` of a classifier takes weights of rows."""
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(classifier, "sample_weight"))


def is_cloneable(classifier: Any) -> bool:
    """Whether scikit-learn can copy a classifier without what it has learnt."""
    from sklearn.base import clone

    try:
        clone(classifier)
    except (TypeError, RuntimeError):
        return False
    return True


@contextlib.contextmanager
def _one_quiet_thread() -> Iterator[None]:
    """Use one thread, since every worker process has one core, and swallow what is printed: it would tear the progress."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), contextlib.redirect_stdout(io.StringIO()):
        yield
