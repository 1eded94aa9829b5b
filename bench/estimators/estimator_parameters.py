"""Parameters that scikit-learn's kind of classifiers share: seed and threads, under the names that libraries give them.

A script for users holds the source of these functions.
"""

from __future__ import annotations

import inspect
from typing import Any


def find_parameters(estimator: Any, names: tuple[str, ...]) -> list[str]:
    """Return the parameters of these names, of an estimator and of those inside it; some libraries report only given ones.

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> find_parameters(make_pipeline(RandomForestClassifier()), ("random_state", "random_seed"))
    ['randomforestclassifier__random_state']
    """
    if inspect.isclass(estimator) or not (hasattr(estimator, "get_params") and hasattr(estimator, "set_params")):
        return []
    known = [path for path in estimator.get_params() if path.rpartition("__")[2] in names]
    possible = [name for name in names if name in inspect.signature(type(estimator)).parameters]
    return known or possible[:1]


def set_seed(estimator: Any, seed: int | None) -> None:
    """Set the seed of an estimator, and of the estimators inside it."""
    for path in find_parameters(estimator, ("random_state", "random_seed")):
        estimator.set_params(**{path: seed})


def use_one_thread(estimator: Any) -> None:
    """Let an estimator, and the estimators inside it, use one thread."""
    for path in find_parameters(estimator, ("n_jobs", "thread_count")):
        known = estimator.get_params()
        owner = known.get(path.rpartition("__")[0], estimator)
        # None is one thread for scikit-learn, which may warn of any other value, and all cores for other libraries.
        if known.get(path) is not None or not type(owner).__init__.__module__.startswith("sklearn."):
            estimator.set_params(**{path: 1})
