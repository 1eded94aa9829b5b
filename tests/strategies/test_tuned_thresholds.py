"""Thresholds around a scikit-learn classifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from strategies import StrategyWarning, fit_thresholds
from strategies.tuned_thresholds import TunedThresholds


def data(seed=0, rows=3000):
    x, y = make_classification(
        rows,
        n_informative=4,
        n_classes=3,
        weights=[0.9, 0.07],
        n_clusters_per_class=1,
        class_sep=0.5,
        random_state=seed,
    )
    return x, np.array(["plain", "odd", "rare"])[y]


def test_it_tunes_what_fit_thresholds_tunes_on_rows_left_out_and_gains_on_new_rows():
    x, y = data()
    train, test = slice(0, 1500), slice(1500, None)
    plain = LogisticRegression().fit(x[train], y[train])
    tuned = TunedThresholds(LogisticRegression()).fit(x[train], y[train])
    left_out = cross_val_predict(LogisticRegression(), x[train], y[train], cv=5, method="predict_proba")
    expected = fit_thresholds(np.log(left_out), np.searchsorted(plain.classes_, y[train]))
    assert tuned.thresholds_ == expected
    found = plain.classes_[expected.predict(plain.predict_log_proba(x[test]))]
    assert tuned.predict(x[test]).tolist() == found.tolist()
    scores = [f1_score(y[test], model.predict(x[test]), average="macro") for model in (plain, tuned)]
    assert scores[1] > scores[0] + 0.01


def test_a_trained_classifier_is_tuned_on_validation_rows():
    x, y = data()
    plain = LogisticRegression().fit(x[:1000], y[:1000])
    tuned = TunedThresholds(FrozenEstimator(plain)).fit(x[1000:], y[1000:])
    ids = np.searchsorted(plain.classes_, y[1000:])
    assert tuned.thresholds_ == fit_thresholds(plain.predict_log_proba(x[1000:]), ids)


@pytest.mark.filterwarnings("ignore::strategies.StrategyWarning")
def test_it_is_a_scikit_learn_estimator():
    x, y = data(rows=600)
    search = GridSearchCV(TunedThresholds(LogisticRegression()), {"estimator__C": [0.1, 1.0]}, cv=2).fit(x, y)
    assert search.best_params_["estimator__C"] in (0.1, 1.0)
    assert clone(search.best_estimator_).get_params()["metric"] == "macro-f1"
    with pytest.raises(NotFittedError):
        TunedThresholds(LogisticRegression()).predict(x)


def test_rare_classes_are_named_and_probabilities_of_zero_are_no_trouble():
    x, y = data(rows=400)
    kept = np.flatnonzero(y != "rare")
    few = np.concatenate([kept, np.flatnonzero(y == "rare")[:3]])
    with (
        pytest.warns(StrategyWarning, match="validation labels: rare"),
        pytest.warns(UserWarning, match="least populated"),
    ):
        tuned = TunedThresholds(DecisionTreeClassifier(random_state=0)).fit(x[few], y[few])
    assert np.isfinite(tuned.thresholds_.offsets).all()
    assert set(tuned.predict(x)) <= set(y)
