"""The estimators that suites and the command line can name, and how each is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ESTIMATORS_VERSION = 1
"""Raised when an estimator of the table is built otherwise than before, or is given its rows or weights otherwise."""


@dataclass(frozen=True)
class KnownEstimator:
    """An estimator by name: `build(seed)` returns it unfitted, on one thread; `fit_work` is about how long a fit takes, in
    steps of the window tagger on a CPU."""

    name: str
    description: str
    fit_work: float
    build: Callable[[int], Any]

    def __str__(self) -> str:
        return self.description


def _hist_gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # No early stopping: it would take rows of rare classes out of training, and judge by copies where rows are repeated.
    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)


def _logistic_regression(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=seed)


ESTIMATORS = (
    KnownEstimator(
        "hist-gradient-boosting",
        "scikit-learn's boosted trees on rows of numbers: 100 rounds at a learning rate of 0.1, without early stopping",
        500.0,
        _hist_gradient_boosting,
    ),
    KnownEstimator(
        "logistic-regression",
        "scikit-learn's logistic regression on rows of numbers: C = 1, up to 1,000 iterations",
        50.0,
        _logistic_regression,
    ),
    KnownEstimator(
        "random-forest", "scikit-learn's random forest on rows of numbers: 100 trees", 100.0, _random_forest
    ),
)
"""The table of estimators: names, and how they are built."""


def find_estimator(name: str) -> KnownEstimator | None:
    """Return the estimator of that name, None if there is none.

    >>> find_estimator("random-forest").build(0).n_estimators
    100
    """
    return next((estimator for estimator in ESTIMATORS if estimator.name == name), None)


def fit_work(model: str) -> float:
    """Return about how long a fit takes, in steps of the window tagger on a CPU; that of a user's estimator is not known."""
    known = find_estimator(model)
    return 200.0 if known is None else known.fit_work
