"""Thresholds around a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from strategies.adjust.fitted_thresholds import FittedThresholds, fit_thresholds
from strategies.adjust.threshold_metric import ThresholdMetric, check_threshold_metric
from strategies.optional_import import optional_import
from strategies.strategy_warning import warn_user

with optional_import("TunedThresholds"):
    from sklearn import get_config
    from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
    from sklearn.model_selection import check_cv, cross_val_predict
    from sklearn.utils import Bunch, assert_all_finite, indexable
    from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, has_fit_parameter

FOLDS_THAT_MEASURE = range(3, 11)
"""Numbers of folds of `cv` on which gains are measured too; otherwise `fit_thresholds` chooses folds of its own."""


def _estimator_has(method: str) -> Any:
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)


class TunedThresholds(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier with an offset per class on its log probabilities, tuned by cross-validation, for any number of classes.

    The offsets are those of `fit_thresholds`, with its guard, on probabilities that are predicted for rows left out of training;
    then the classifier is trained on all rows. Each offset is the best of all cuts of the probabilities, not of a grid: of two
    classes the one threshold, of more each class in turn, given the others, until none improves.

    `predict` uses the offsets; `predict_proba` returns the classifier's own probabilities.

    Parameters
    ----------
    estimator : classifier
        A scikit-learn classifier with `predict_proba`.
    metric : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        What the offsets are to raise.
    cv : int, cross-validator, iterable of splits or "prefit", default 5
        How rows are left out, as in `sklearn.model_selection.cross_val_predict`. With "prefit", or a classifier wrapped in
        `sklearn.frozen.FrozenEstimator`, the classifier is trained already, and `fit` takes validation rows.
    target_prior : array, optional
        The class prior of the data to predict, in the order of `classes_`, where it is not that of the training data.

    Attributes
    ----------
    classes_ : array
        The classes, in the order of the columns of `predict_proba`.
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> TunedThresholds:
        """Tune the offsets and train the classifier.

        Parameters
        ----------
        X : array, sparse matrix or data frame
            `(N, F)` rows.
        y : array
            `(N,)` their classes: numbers, strings or booleans.
        sample_weight : array, optional
            `(N,)`, how much each row counts, in tuning and, if its `fit` takes them, for the classifier.
        **fit_params
            Passed to the classifier's `fit`; `groups` is passed to `cv`. With metadata routing enabled, all are routed.

        Raises
        ------
        ValueError
            If the metric is none that thresholds can be tuned for, the classifier has no `predict_proba`, or there is one class
            only.
        """
        check_threshold_metric(self.metric)
        if not hasattr(self.estimator, "predict_proba"):
            raise ValueError(
                f"TunedThresholds needs a classifier with predict_proba; given: {self.estimator}. Wrap it in "
                "sklearn.calibration.CalibratedClassifierCV"
            )
        X, y = indexable(X, y)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        _check_classes(y, sample_weight)
        routed = self._route(sample_weight, fit_params)
        is_trained = (isinstance(self.cv, str) and self.cv == "prefit") or clone(self.estimator) is self.estimator
        predict = self._predict_as_trained if is_trained else self._cross_validate
        probabilities, ids, folds = predict(X, y, routed)
        self.thresholds_: FittedThresholds = fit_thresholds(
            _log(probabilities),
            ids,
            self.metric,
            weights=sample_weight,
            target_prior=self.target_prior,
            folds=folds,
            class_names=list(map(str, self.classes_)),
        )
        for fact in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, fact):
                setattr(self, fact, getattr(self.estimator_, fact))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the classes `(N,)` of rows `X (N, F)`."""
        check_is_fitted(self)
        classes: np.ndarray = self.classes_[self.thresholds_.predict(_log(self.estimator_.predict_proba(X)))]
        return classes

    @available_if(_estimator_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the classifier's probabilities `(N, C)` of rows `X (N, F)`, without offsets."""
        check_is_fitted(self)
        probabilities: np.ndarray = self.estimator_.predict_proba(X)
        return probabilities

    @available_if(_estimator_has("predict_log_proba"))  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the classifier's log probabilities `(N, C)` of rows `X (N, F)`, without offsets."""
        check_is_fitted(self)
        logarithms: np.ndarray = self.estimator_.predict_log_proba(X)
        return logarithms

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata go: weights and parameters to the classifier's `fit`, groups to `cv`."""
        from_fit = MethodMapping().add(caller="fit", callee="fit")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self.estimator, method_mapping=from_fit)
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags  # not in scikit-learn 1.5, which does not call this

        tags, of_estimator = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags = of_estimator.input_tags
        if of_estimator.classifier_tags is not None:
            tags.classifier_tags.multi_class = of_estimator.classifier_tags.multi_class
        return tags

    def _route(self, sample_weight: Any, fit_params: dict[str, Any]) -> Bunch:
        """Return what `fit` of the classifier and `split` of the cross-validator are called with."""
        given = fit_params if sample_weight is None else {"sample_weight": sample_weight, **fit_params}
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", **given)
        to_split = {name: value for name, value in given.items() if name == "groups"}
        to_fit = {name: value for name, value in given.items() if name != "groups"}
        if sample_weight is not None and not has_fit_parameter(self.estimator, "sample_weight"):
            del to_fit["sample_weight"]
            warn_user(
                f"fit of {type(self.estimator).__name__} takes no sample_weight: the weights count in tuning only"
            )
        return Bunch(estimator=Bunch(fit=to_fit), splitter=Bunch(split=to_split))

    def _predict_as_trained(self, X: Any, y: np.ndarray, routed: Bunch) -> tuple[np.ndarray, np.ndarray, None]:
        """Take the classifier as it is; return its probabilities of the rows `(N, C)`, and the ids of their classes `(N,)`."""
        check_is_fitted(self.estimator)
        self.estimator_ = self.estimator
        self.classes_ = self.estimator.classes_
        id_of = {name: position for position, name in enumerate(self.classes_.tolist())}
        if unknown := sorted({name for name in y.tolist() if name not in id_of}, key=str):
            raise ValueError(f"classes in y that the classifier was not trained on: {', '.join(map(str, unknown))}")
        return self.estimator.predict_proba(X), np.array([id_of[name] for name in y.tolist()]), None

    def _cross_validate(self, X: Any, y: np.ndarray, routed: Bunch) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Train the classifier; return probabilities of rows left out `(N, C)`, the ids of their classes, and their folds."""
        self.classes_, ids = np.unique(y, return_inverse=True)
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
        probabilities = cross_val_predict(
            self.estimator, X, y, cv=splits, method="predict_proba", params=routed.estimator.fit
        )
        self.estimator_ = clone(self.estimator).fit(X, y, **routed.estimator.fit)
        return probabilities, ids, _folds(splits, len(y))


def _check_classes(y: np.ndarray, sample_weight: Any) -> None:
    """Raise a ValueError unless rows of two classes count."""
    counted = y if sample_weight is None else y[np.asarray(sample_weight).reshape(-1)[: len(y)] > 0]
    classes = np.unique(counted)
    if len(classes) < 2:
        given = f"one class, {classes[0]}" if len(classes) else "no rows"
        weighted = "" if sample_weight is None else " with a sample_weight above zero"
        raise ValueError(f"TunedThresholds needs rows of at least two classes{weighted}; given: {given}")


def _folds(splits: Sequence[tuple[np.ndarray, np.ndarray]], rows: int) -> np.ndarray | None:
    """Return the split in which each row was left out `(rows,)`, None if there are too few or too many of them to measure by."""
    if len(splits) not in FOLDS_THAT_MEASURE:
        return None
    folds = np.empty(rows, dtype=np.int64)
    for fold, (_, left_out) in enumerate(splits):
        folds[left_out] = fold
    return folds


def _log(probabilities: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        logarithms: np.ndarray = np.log(probabilities)
        return logarithms
