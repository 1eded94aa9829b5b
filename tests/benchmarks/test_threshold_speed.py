"""`TunedThresholds` against scikit-learn's `TunedThresholdClassifierCV` with its grid of 100 thresholds, on two classes.

`pytest tests/benchmarks/test_threshold_speed.py -m slow -s` prints the table of docs/evidence.md.
"""

import itertools
import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB

from strategies import TunedThresholds

DATA_SETS, TRAIN, VALID, TEST = 20, 2000, 1000, 20_000
ROUNDS = 7

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::strategies.StrategyWarning")]

Tuned = Callable[[BaseEstimator], BaseEstimator]
TUNED: dict[str, tuple[Tuned, Tuned]] = {
    "cv=5": (
        lambda plain: TunedThresholds(plain, cv=5),
        lambda plain: TunedThresholdClassifierCV(plain, scoring="f1_macro", thresholds=100, cv=5),
    ),
    "prefit": (
        lambda plain: TunedThresholds(plain, cv="prefit"),
        lambda plain: TunedThresholdClassifierCV(plain, scoring="f1_macro", thresholds=100, cv="prefit", refit=False),
    ),
}
"""This package's and scikit-learn's way to tune."""
CLASSIFIERS = {"logistic regression": LogisticRegression(), "naive Bayes": GaussianNB()}


def parts(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training, validation and test rows of a data set of which 2 to 21 in 100 rows are positive."""
    x, y = make_classification(
        TRAIN + VALID + TEST,
        n_features=10,
        n_informative=5,
        weights=[0.98 - 0.01 * seed],
        class_sep=0.7,
        flip_y=0.02,
        random_state=seed,
    )
    ends = (0, TRAIN, TRAIN + VALID, TRAIN + VALID + TEST)
    return [(x[start:end], y[start:end]) for start, end in itertools.pairwise(ends)]


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("how", TUNED)
def test_offsets_are_as_good_as_the_best_of_a_grid_and_found_faster(how, classifier):
    differences, gains, ratios = [], [], []
    for seed in range(DATA_SETS):
        train, valid, test = parts(seed)
        plain = CLASSIFIERS[classifier].fit(*train)
        rows = train if how == "cv=5" else valid
        models = [tuned(plain) for tuned in TUNED[how]]
        for model in models:
            model.fit(*rows)
        scores = [f1_score(test[1], model.predict(test[0]), average="macro") for model in (*models, plain)]
        differences.append(scores[0] - scores[1])
        gains.append(scores[0] - scores[2])
    for _ in range(ROUNDS):
        seconds = [seconds_to_fit(model, rows) for model in models]
        ratios.append(seconds[1] / seconds[0])
    half = stats.t.ppf(0.975, DATA_SETS - 1) * stats.sem(differences)
    print(
        f"\n| {classifier}, {how} | {np.mean(gains):+.4f} | {np.mean(differences):+.4f} ± {half:.4f} "
        f"| {np.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) |",
        end="",
    )
    assert np.mean(differences) > -half
    assert np.median(ratios) > 1


def seconds_to_fit(model: BaseEstimator, rows: tuple[np.ndarray, np.ndarray]) -> float:
    start = time.perf_counter()
    model.fit(*rows)
    return time.perf_counter() - start
