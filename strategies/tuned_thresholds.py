"""Thresholds around a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategies.adjust.fitted_thresholds import FittedThresholds, fit_thresholds
from strategies.adjust.threshold_metric import ThresholdMetric
from strategies.optional_import import optional_import

with optional_import("TunedThresholds"):
    from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
    from sklearn.model_selection import cross_val_predict
    from sklearn.utils.validation import check_is_fitted


class TunedThresholds(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier with an offset per class on its log probabilities, tuned by cross-validation, for any number of classes.

    The offsets are those of `fit_thresholds`, with its guard, on probabilities that are predicted for rows left out of training;
    then the classifier is trained on all rows.

    Parameters
    ----------
    estimator : classifier
        A scikit-learn classifier with `predict_proba`. One that is trained already is wrapped in
        `sklearn.frozen.FrozenEstimator`; then `fit` takes validation data.
    metric : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        What the offsets are to raise.
    cv : int or cross-validator, default 5
        How rows are left out, as in `sklearn.model_selection.cross_val_predict`.
    target_prior : array, optional
        The class prior of the data to predict, in the order of `classes_`, where it is not that of the training data.

    Attributes
    ----------
    classes_ : array
        The classes, sorted.
    thresholds_ : FittedThresholds
        The offsets, with notes on classes that have too few labels.
    estimator_ : classifier
        The classifier, trained on all rows.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> x, y = make_classification(2000, weights=[0.9], class_sep=0.3, random_state=0)
    >>> plain = LogisticRegression().fit(x, y)
    >>> tuned = TunedThresholds(LogisticRegression()).fit(x, y)
    >>> int(plain.predict(x).sum()) < int(tuned.predict(x).sum())
    True
    """

    def __init__(
        self,
        estimator: Any,
        *,
        metric: ThresholdMetric = "macro-f1",
        cv: Any = 5,
        target_prior: np.ndarray | None = None,
    ) -> None:
        self.estimator = estimator
        self.metric = metric
        self.cv = cv
        self.target_prior = target_prior

    def fit(self, X: Any, y: Any) -> TunedThresholds:
        """Tune the offsets and train the classifier on rows `X (N, F)` and their classes `y (N,)`."""
        self.classes_, ids = np.unique(np.asarray(y), return_inverse=True)
        probabilities = cross_val_predict(self.estimator, X, y, cv=self.cv, method="predict_proba")
        self.thresholds_: FittedThresholds = fit_thresholds(
            _log(probabilities),
            ids,
            self.metric,
            target_prior=self.target_prior,
            class_names=list(map(str, self.classes_)),
        )
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the classes `(N,)` of rows `X (N, F)`."""
        check_is_fitted(self)
        classes: np.ndarray = self.classes_[self.thresholds_.predict(_log(self.estimator_.predict_proba(X)))]
        return classes


def _log(probabilities: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        logarithms: np.ndarray = np.log(probabilities)
        return logarithms
