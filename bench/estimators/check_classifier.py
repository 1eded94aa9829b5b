"""Check a user's estimator before anything is trained: on synthetic rows, with errors of one line."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from typing import Any

import torch

from bench.errors import InputError
from bench.estimators.estimator import Estimator
from bench.estimators.fitted_classifier import fit_classifier
from bench.user_code.module_loader import describe_error, last_line

CLASSES, ROWS_PER_CLASS = 3, 20
"""Of the synthetic rows: at most so many classes, and enough rows of each for a cross-validation inside the estimator."""


def check_estimator(estimator: Estimator, features: int, classes: int) -> Estimator:
    """Return the estimator, with what it can do, after a fit to synthetic rows.

    Raises an InputError that says what is wrong with it, and what to do.
    """
    _check_interface(estimator.name, estimator.build(0))
    seen = min(classes, CLASSES)
    y = torch.arange(seen).repeat_interleave(ROWS_PER_CLASS)
    x = torch.randn(len(y), features, generator=torch.Generator().manual_seed(0)) + y.unsqueeze(1)
    rows = f"{len(y)} synthetic rows of {features} numbers"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = fit_classifier(estimator.name, estimator.build(0), x, y, None, classes=classes, seed=0)
            fitted.log_probabilities(x)
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            place = last_line(error, estimator.name)
            raise InputError(f"{place}: {estimator.name} cannot be fitted to {rows}: {describe_error(error)}") from None
        try:
            fit_classifier(estimator.name, estimator.build(0), x, y, torch.ones(len(y)), classes=classes, seed=0)
        except (Exception, SystemExit):
            return dataclasses.replace(estimator, takes_weights=False)
    return estimator


def _check_interface(name: str, returned: Any) -> None:
    """Refuse what is no unfitted classifier with probabilities."""
    kind = f"class {returned.__name__}" if inspect.isclass(returned) else type(returned).__name__
    if inspect.isclass(returned):
        raise InputError(f"{name} returned the {kind}; return an object of it, {returned.__name__}()")
    if isinstance(returned, torch.nn.Module) and not hasattr(returned, "fit"):
        function = name.rpartition(":")[2]
        raise InputError(
            f"{name} returned {kind}, an nn.Module; let the function take the sizes of the task, as in {function}(shape)"
        )
    if not hasattr(returned, "fit"):
        raise InputError(
            f"{name} returned {kind}, which has no fit; return a classifier of scikit-learn that is not fitted, or one with its "
            "methods fit and predict_proba"
        )
    if getattr(returned, "_estimator_type", "") == "regressor" or _is_regressor(returned):
        raise InputError(f"{name} returned {kind}, a regressor; return the classifier of the same library")
    # That of a search or a support vector machine appears only where its options allow it.
    if not hasattr(returned, "predict_proba"):
        raise InputError(
            f"{name} returned {kind}, which has no predict_proba; wrap it in sklearn.calibration.CalibratedClassifierCV, which "
            "gives probabilities"
        )


def _is_regressor(returned: Any) -> bool:
    from sklearn.base import BaseEstimator, is_regressor

    return isinstance(returned, BaseEstimator) and bool(is_regressor(returned))
