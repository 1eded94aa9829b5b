"""Thresholds around a scikit-learn classifier."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

import strategies.adjust
import strategies.tuned_thresholds
from strategies import StrategyWarning, TunedThresholds, fit_thresholds

SILENT = pytest.mark.filterwarnings("ignore::strategies.StrategyWarning")


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


def folds_of(splits, rows):
    folds = np.empty(rows, dtype=int)
    for fold, (_, left_out) in enumerate(splits):
        folds[left_out] = fold
    return folds


def test_it_tunes_what_fit_thresholds_tunes_on_rows_left_out_and_gains_on_new_rows():
    x, y = data()
    train, test = slice(0, 1500), slice(1500, None)
    plain = LogisticRegression().fit(x[train], y[train])
    tuned = TunedThresholds(LogisticRegression()).fit(x[train], y[train])
    left_out = cross_val_predict(LogisticRegression(), x[train], y[train], cv=5, method="predict_proba")
    folds = folds_of(StratifiedKFold(5).split(x[train], y[train]), 1500)
    expected = fit_thresholds(np.log(left_out), np.searchsorted(plain.classes_, y[train]), folds=folds)
    assert tuned.thresholds_ == expected
    found = plain.classes_[expected.predict(plain.predict_log_proba(x[test]))]
    assert tuned.predict(x[test]).tolist() == found.tolist()
    scores = [f1_score(y[test], model.predict(x[test]), average="macro") for model in (plain, tuned)]
    assert scores[1] > scores[0] + 0.01
    assert np.array_equal(tuned.predict_proba(x), plain.predict_proba(x))
    assert np.array_equal(tuned.predict_log_proba(x), plain.predict_log_proba(x))


@pytest.mark.parametrize("cv", [5, "prefit"])
def test_a_trained_classifier_is_tuned_on_validation_rows(cv):
    x, y = data()
    plain = LogisticRegression().fit(x[:1000], y[:1000])
    tuned = TunedThresholds(plain if cv == "prefit" else FrozenEstimator(plain), cv=cv).fit(x[1000:], y[1000:])
    ids = np.searchsorted(plain.classes_, y[1000:])
    assert tuned.thresholds_ == fit_thresholds(plain.predict_log_proba(x[1000:]), ids)
    assert (tuned.estimator_ is plain) == (cv == "prefit")


@SILENT
def test_a_trained_classifier_may_know_more_classes_than_validation_rows_have_and_no_fewer():
    x, y = data()
    plain = LogisticRegression().fit(x[:1000], y[:1000])
    common = np.flatnonzero(y != "rare")[-1000:]
    tuned = TunedThresholds(plain, cv="prefit").fit(x[common], y[common])
    assert tuned.classes_.tolist() == ["odd", "plain", "rare"]
    assert tuned.thresholds_.neutral == (2,)
    with pytest.raises(ValueError, match="classes in y that the classifier was not trained on: new"):
        tuned.fit(x[:3], ["odd", "new", "plain"])
    with pytest.raises(NotFittedError):
        TunedThresholds(LogisticRegression(), cv="prefit").fit(x, y)


@SILENT
def test_it_is_a_scikit_learn_estimator():
    x, y = data(rows=600)
    search = GridSearchCV(TunedThresholds(LogisticRegression()), {"estimator__C": [0.1, 1.0]}, cv=2).fit(x, y)
    assert search.best_params_["estimator__C"] in (0.1, 1.0)
    assert clone(search.best_estimator_).get_params()["metric"] == "macro-f1"
    with pytest.raises(NotFittedError):
        TunedThresholds(LogisticRegression()).predict(x)


@SILENT
@parametrize_with_checks(
    [
        TunedThresholds(LogisticRegression()),
        TunedThresholds(DecisionTreeClassifier(max_depth=5, random_state=0), metric="balanced-accuracy"),
    ]
)
@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
def test_it_passes_all_checks_of_scikit_learn(estimator, check):
    check(estimator)


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


# What users pass to it


def test_frames_pipelines_sparse_rows_and_pickles_give_the_same():
    x, y = data(rows=1500)
    pipeline = make_pipeline(StandardScaler(with_mean=False), LogisticRegression())
    expected = TunedThresholds(pipeline).fit(x, y).predict(x)
    frame = pd.DataFrame(x, index=range(7, 1507)).add_prefix("column ")
    tuned = TunedThresholds(pipeline).fit(frame, pd.Series(y, index=frame.index))
    assert tuned.predict(frame).tolist() == expected.tolist()
    assert tuned.feature_names_in_.tolist() == list(frame)
    assert pickle.loads(pickle.dumps(tuned)).predict(frame).tolist() == expected.tolist()
    outer = make_pipeline(StandardScaler(with_mean=False), TunedThresholds(LogisticRegression()))
    expected = outer.fit(x, y).predict(x)
    outer.set_output(transform="pandas").fit(frame, pd.Series(y).astype("category"))
    assert outer.predict(frame).tolist() == expected.tolist()
    sparse = outer.set_output(transform="default").fit(csr_array(x), y)
    assert (sparse.predict(csr_array(x)) == expected).mean() > 0.999


@pytest.mark.parametrize("kind", [bool, int, float, str])
def test_classes_keep_their_type(kind):
    x, y = make_classification(600, weights=[0.8], class_sep=0.5, random_state=0)
    y = np.array([kind(value) for value in y])
    predicted = TunedThresholds(LogisticRegression()).fit(x, y).predict(x)
    assert predicted.dtype == y.dtype
    assert set(predicted.tolist()) == set(y.tolist())


def test_weights_count_in_training_and_in_tuning():
    x, y = data()
    weights = np.where(y == "rare", 3.0, 1.0)
    tuned = TunedThresholds(LogisticRegression()).fit(x, y, sample_weight=weights)
    plain = LogisticRegression().fit(x, y, sample_weight=weights)
    assert np.array_equal(tuned.predict_proba(x), plain.predict_proba(x))
    left_out = cross_val_predict(
        LogisticRegression(), x, y, cv=5, method="predict_proba", params={"sample_weight": weights}
    )
    ids, folds = np.searchsorted(tuned.classes_, y), folds_of(StratifiedKFold(5).split(x, y), len(y))
    assert tuned.thresholds_ == fit_thresholds(np.log(left_out), ids, weights=weights, folds=folds)


def test_weights_that_the_classifier_does_not_take_count_in_tuning_only_and_it_is_said():
    x, y = data(rows=1500)
    with pytest.warns(
        StrategyWarning, match="KNeighborsClassifier takes no sample_weight: the weights count in tuning"
    ):
        tuned = TunedThresholds(KNeighborsClassifier(15)).fit(x, y, sample_weight=np.where(y == "rare", 9.0, 1.0))
    assert tuned.thresholds_ != TunedThresholds(KNeighborsClassifier(15)).fit(x, y).thresholds_
    with pytest.raises(ValueError, match="two classes with a sample_weight above zero; given: no rows"):
        tuned.fit(x, y, sample_weight=np.zeros(len(y)))


def test_groups_stay_together_in_training_and_in_measuring_gains():
    x, y = data(rows=1500)
    groups = np.arange(1500) // 50
    tuned = TunedThresholds(LogisticRegression(), cv=GroupKFold(5)).fit(x, y, groups=groups)
    splits = list(GroupKFold(5).split(x, y, groups))
    left_out = cross_val_predict(LogisticRegression(), x, y, cv=splits, method="predict_proba")
    ids = np.searchsorted(tuned.classes_, y)
    assert tuned.thresholds_ == fit_thresholds(np.log(left_out), ids, folds=folds_of(splits, 1500))


def test_metadata_are_routed_where_that_is_enabled():
    x, y = data(rows=1500)
    weights, groups = np.where(y == "rare", 3.0, 1.0), np.arange(1500) // 50
    expected = TunedThresholds(LogisticRegression(), cv=GroupKFold(5))
    expected.fit(x, y, sample_weight=weights, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = LogisticRegression().set_fit_request(sample_weight=True)
        tuned = TunedThresholds(weighted, cv=GroupKFold(5)).set_fit_request(sample_weight=True)
        assert tuned.fit(x, y, sample_weight=weights, groups=groups).thresholds_ == expected.thresholds_
        inner = TunedThresholds(weighted).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(inner, {"estimator__C": [1.0]}, cv=2)
        again = TunedThresholds(weighted).fit(x, y, sample_weight=weights)
        assert search.fit(x, y, sample_weight=weights).best_estimator_.thresholds_ == again.thresholds_


# What is refused


@pytest.mark.parametrize(
    ("estimator", "options", "rows", "message"),
    [
        (LogisticRegression(), {"metric": "roc_auc"}, 60, "No threshold moves roc_auc, which depends on probabilities"),
        (LogisticRegression(), {"metric": "average-precision"}, 60, "No threshold moves average-precision"),
        (
            LogisticRegression(),
            {"metric": "f1"},
            60,
            "'macro-f1', 'balanced-accuracy' or 'worst-class-recall'; given: 'f1'",
        ),
        (LinearSVC(), {}, 60, r"needs a classifier with predict_proba; given: LinearSVC\(\). Wrap it in .*Calibrated"),
        (LogisticRegression(), {}, 0, "at least two classes; given: no rows"),
        (LogisticRegression(), {}, 1, "at least two classes; given: one class, plain"),
    ],
)
def test_what_cannot_be_tuned_is_refused_in_one_line(estimator, options, rows, message):
    x, y = data(rows=300)
    kept = np.flatnonzero(y == "plain")[:rows] if rows < 2 else slice(rows)
    with pytest.raises(ValueError, match=message):
        TunedThresholds(estimator, **options).fit(x[kept], y[kept])


def test_it_is_found_where_users_look_for_it():
    assert strategies.adjust.TunedThresholds is strategies.tuned_thresholds.TunedThresholds is TunedThresholds
    with pytest.raises(AttributeError, match="has no attribute 'Tuned'"):
        strategies.adjust.Tuned  # noqa: B018
