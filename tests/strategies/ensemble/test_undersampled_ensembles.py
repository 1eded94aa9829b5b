"""Ensembles on balanced rows: imbalanced-learn's, called directly, and the prior that they teach."""

import numpy as np
import pytest
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from sklearn.datasets import load_wine, make_classification
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from strategies import Labels, NotationError, get, parse

TREE = DecisionTreeClassifier(max_depth=4)
DIRECTLY = {
    "balanced-random-forest": BalancedRandomForestClassifier(100, random_state=3),
    "balanced-random-forest(trees=7)": BalancedRandomForestClassifier(7, random_state=3),
    "easy-ensemble(bags=3)": EasyEnsembleClassifier(
        3, estimator=AdaBoostClassifier(TREE, n_estimators=50), random_state=3
    ),
    "rus-boost": RUSBoostClassifier(TREE, n_estimators=50, random_state=3),
    "rus-boost(rounds=9, depth=2)": RUSBoostClassifier(
        DecisionTreeClassifier(max_depth=2), n_estimators=9, random_state=3
    ),
    "balanced-bagging(bags=4)": BalancedBaggingClassifier(LogisticRegression(C=0.1), n_estimators=4, random_state=3),
}
"""Each ensemble and imbalanced-learn's own for the seed 3."""


@pytest.mark.parametrize("text", DIRECTLY)
def test_an_ensemble_is_that_of_imbalanced_learn(text):
    x, y = load_wine(return_X_y=True)
    x, y = x[y != 2][30:], y[y != 2][30:]
    x = (x - x.mean(0)) / x.std(0)
    ensemble = parse(text).ensemble(LogisticRegression(C=0.1), seed=3 + 2**32)
    expected = DIRECTLY[text].fit(x, y).predict_proba(x)
    assert np.array_equal(ensemble.fit(x, y).predict_proba(x), expected)


@pytest.mark.parametrize("name", ["balanced-random-forest", "easy-ensemble", "rus-boost", "balanced-bagging"])
def test_four_classes_of_which_one_is_rare_are_told_apart_better_than_by_chance(name):
    x, y = make_classification(2000, n_informative=6, n_classes=4, weights=[0.85, 0.1, 0.04], random_state=0)
    ensemble = get(name).ensemble(LogisticRegression(), seed=0).fit(x[:1000], y[:1000])
    predicted = ensemble.predict(x[1000:])
    recalls = [(predicted[y[1000:] == c] == c).mean() for c in range(4)]
    assert np.mean(recalls) > 0.35


def test_averaged_members_teach_a_balanced_prior_and_boosted_ones_none_that_is_known():
    labels = Labels.of([0] * 60 + [1] * 20 + [2] * 3, ("a", "b", "c", "absent"))
    for name in ("balanced-random-forest", "balanced-bagging"):
        assert get(name).effective_prior(labels, labels.counts()).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    for name in ("easy-ensemble", "rus-boost"):
        assert get(name).effective_prior(labels, labels.counts()) is None


def test_rows_that_are_resampled_first_are_balanced_once():
    labels = Labels.of([0] * 60 + [1] * 20 + [2] * 3)
    both = parse("random-oversampling + balanced-bagging")
    assert both.effective_prior(labels, labels.counts()).tolist() == pytest.approx([1 / 3] * 3)
    weighted = parse("balanced-bagging + loss-weights").effective_prior(labels, labels.counts())
    assert weighted[2] > 5 * weighted[0]


def test_a_combination_trains_its_ensemble_and_takes_only_one():
    both = parse("balanced-bagging(bags=2) + thresholds")
    assert both.ensemble(LogisticRegression(), seed=0).n_estimators == 2
    assert parse("smote + thresholds").ensemble(LogisticRegression(), seed=0) is None
    with pytest.raises(NotationError, match="both train an ensemble in place of one estimator"):
        parse("balanced-bagging + rus-boost")


def test_what_scikit_learn_cannot_take_is_not_applicable():
    many = Labels.packed([[0, 1], [0]], ("a", "b"))
    assert "an item here has many labels" in get("rus-boost").why_not_applicable(many, "numbers")
    assert "not token ids" in get("rus-boost").why_not_applicable(Labels.of([0, 1]), "tokens")
    with pytest.raises(NotationError, match="trees must be 1 or more; given: 0"):
        get("balanced-random-forest", trees=0)
