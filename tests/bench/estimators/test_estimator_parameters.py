"""Seed and threads are set under whatever name a library has for them, also where it reports only what was given."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from bench.estimators.estimator_parameters import find_parameters, set_seed, use_one_thread


class Boosting:
    """The interface of CatBoost's classifier: parameters that are not given are not reported."""

    def __init__(
        self, iterations: Any = None, thread_count: Any = None, random_seed: Any = None, random_state: Any = None
    ):
        given = {"iterations": iterations, "thread_count": thread_count}
        given |= {"random_seed": random_seed, "random_state": random_state}
        self.given = {name: value for name, value in given.items() if value is not None}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return dict(self.given)

    def set_params(self, **values: Any) -> Boosting:
        self.given |= values
        return self


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {"thread_count": 1, "random_state": 5}),
        ({"random_seed": 9, "thread_count": 8}, {"thread_count": 1, "random_seed": 5}),
        ({"random_state": 9}, {"thread_count": 1, "random_state": 5}),
    ],
)
def test_one_name_of_each_is_set(given: dict[str, int], found: dict[str, int]) -> None:
    estimator = Boosting(**given)
    use_one_thread(estimator)
    set_seed(estimator, 5)
    assert estimator.get_params() == found


def test_estimators_inside_are_set_too() -> None:
    pipeline = make_pipeline(RandomForestClassifier(n_jobs=-1))
    use_one_thread(pipeline)
    set_seed(pipeline, 5)
    assert (pipeline[0].n_jobs, pipeline[0].random_state) == (1, 5)


def test_what_has_no_parameters_has_none_to_set() -> None:
    assert find_parameters(object(), ("random_state",)) == []
