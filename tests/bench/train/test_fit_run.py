"""Runs of estimators, compared with what a plain scikit-learn script does with the same rows, weights and seed."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.random import Generator
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import train_test_split

from bench.estimators.estimator import Estimator
from bench.models.model import Shape
from bench.planning.protocol import ROWS, Protocol, with_learner
from bench.planning.run import Run
from bench.records.predictions import PredictedClasses
from bench.records.record import RAW, Record
from bench.tasks import find_task
from bench.tasks.part import Rows
from bench.tasks.task import Task, TaskSpec
from bench.train.clock import Clock
from bench.train.fit_run import PooledRows, fit_run
from strategies import Labels, StrategyWarning, parse

DIGITS = find_task("digits-lt")
LOGISTIC = with_learner(ROWS, "logistic-regression")
MAKE: dict[str, Callable[[int], Any]] = {
    "logistic-regression": lambda seed: LogisticRegression(max_iter=1000, random_state=seed),
    "random-forest": lambda seed: RandomForestClassifier(random_state=seed),
    "hist-gradient-boosting": lambda seed: HistGradientBoostingClassifier(early_stopping=False, random_state=seed),
}


@dataclass(frozen=True)
class Wine(TaskSpec):
    """scikit-learn's wines; with `lacks`, training has no wine of the last class."""

    lacks: bool = False
    label: ClassVar[str] = "wine"
    kind: ClassVar[str] = "rows"

    def load(self, rng: Generator) -> Task:
        x, y = load_wine(return_X_y=True)
        seed = int(rng.integers(2**32))
        x, y = (x - x.mean(0)) / x.std(0), np.array([1, 0, 2])[y]  # the most frequent class first
        x_train, x_rest, y_train, y_rest = train_test_split(x, y, stratify=y, random_state=seed)
        x_valid, x_test, y_valid, y_test = train_test_split(
            x_rest, y_rest, stratify=y_rest, random_state=seed, test_size=0.5
        )
        kept = y_train < 2 if self.lacks else y_train >= 0

        def part(x: np.ndarray, y: np.ndarray) -> Rows:
            return Rows(torch.from_numpy(x).float(), Labels.of(y, ("b", "a", "c")))

        return Task(
            description="wines",
            inputs="numbers",
            prior="natural",
            shape=Shape(classes=3, features=13),
            train=part(x_train[kept], y_train[kept]),
            valid=part(x_valid, y_valid),
            test=part(x_test, y_test),
            fingerprint="wine",
            resplit=(23, 155),
        )


def make_run(
    strategy: str = "none",
    protocol: Protocol = LOGISTIC,
    spec: Any = DIGITS,
    adjustments: tuple[str, ...] = (),
    **rest: Any,
) -> Run:
    return Run(spec, parse(strategy), protocol, 3, "made", tuple(map(parse, adjustments)), **rest)


def fitted(run: Run) -> Record:
    record = fit_run(run, Clock())
    assert isinstance(record, Record)
    assert record.is_complete
    return record


def rows(part: Any) -> tuple[np.ndarray, np.ndarray]:
    return part.x.numpy(), part.labels.values.numpy()


def seed_of(run: Run) -> int:
    return run.seed_for("init") % 2**32


def probabilities(run: Run, **how: Any) -> np.ndarray:
    """Those of a plain script on test: `how` are other hyper-parameters, `sample_weight`, or other rows `x` and `y`."""
    task = run.load_task()
    x, y = rows(task.train)
    x, y, weight = how.pop("x", x), how.pop("y", y), how.pop("sample_weight", None)
    estimator = MAKE[run.protocol.model](seed_of(run)).set_params(**how).fit(x, y, sample_weight=weight)
    return np.asarray(estimator.predict_proba(rows(task.test)[0]))


def assert_predicts(run: Run, expected: np.ndarray) -> None:
    """The record holds the confusion, likelihood and Brier score of these probabilities on test."""
    record, (_, truth) = fitted(run), rows(run.load_task().test)
    expected = expected.astype(float) / expected.astype(float).sum(1, keepdims=True)  # some are computed in 32 bits
    classes = np.arange(expected.shape[1])
    for evaluation in (record.evaluation("chosen", "test"), record.evaluation("last", "test")):
        assert evaluation.confusion == confusion_matrix(truth, expected.argmax(1), labels=classes).tolist()
        assert evaluation.nll == pytest.approx(log_loss(truth, expected, labels=classes), rel=1e-9)
    brier = np.square(expected - np.eye(len(classes))[truth]).sum(1).mean()
    scored = record.evaluation("chosen", "test").probabilities
    assert scored is not None
    assert scored.brier == pytest.approx(brier, rel=1e-9)


@pytest.mark.parametrize("name", MAKE)
def test_plain_training_is_that_of_a_plain_script_with_the_same_seed(name: str) -> None:
    run = make_run(protocol=with_learner(ROWS, name), spec=Wine())
    assert_predicts(run, probabilities(run))


def test_inverse_frequency_weights_are_the_balanced_ones_of_scikit_learn() -> None:
    run = make_run("loss-weights")
    assert_predicts(run, probabilities(run, class_weight="balanced"))


@pytest.mark.parametrize(
    "strategy",
    ["weighted-random-sampler", "class-balanced-sampling", "square-root-sampling+loss-weights(power=0.5)"],
)
def test_weights_of_items_and_of_classes_multiply(strategy: str) -> None:
    run = make_run(strategy)
    assert_predicts(run, probabilities(run, class_weight="balanced"))


def test_weights_that_are_divided_by_the_number_of_items_keep_their_scale() -> None:
    run = make_run("cost-sensitive-weights(reduction=mean)")
    counts = np.bincount(rows(run.load_task().train)[1])
    weight = (counts.min() / counts)[rows(run.load_task().train)[1]]
    assert weight.mean() < 0.2
    assert_predicts(run, probabilities(run, sample_weight=weight))


@pytest.mark.parametrize("strategy", ["random-oversampling", "random-undersampling", "smote"])
def test_a_resampled_pool_is_fitted_row_by_row(strategy: str) -> None:
    run = make_run(strategy)
    task = run.load_task()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pool = run.strategy.resample(task.train.x, task.train.labels, seed=run.seed_for("resample"))
    assert pool is not None
    x, y = rows(task.train)
    x, y = x[pool.index], y[pool.index]
    if pool.synthetic_x is not None and pool.synthetic_y is not None:
        x, y = np.concatenate([x, pool.synthetic_x]), np.concatenate([y, pool.synthetic_y])
    assert_predicts(run, probabilities(run, x=x, y=y))
    assert fitted(run).sampling.by_class == np.bincount(y).tolist()


def test_adjustments_work_on_log_probabilities() -> None:
    run = make_run(adjustments=("post-hoc-adjustment",))
    task, plain = run.load_task(), probabilities(run)
    prior = np.bincount(rows(task.train)[1]) / len(task.train.labels)
    expected = (np.log(plain) - np.log(prior)).argmax(1)
    adjusted = fitted(run).evaluation("chosen", "test", "post-hoc-adjustment")
    assert adjusted.confusion == confusion_matrix(rows(task.test)[1], expected).tolist()


def test_the_prior_that_weights_teach_is_corrected() -> None:
    """Balanced weights teach equal shares, which are those of a balanced test: nothing is left to correct."""
    record = fitted(make_run("loss-weights", adjustments=("prior-correction",)))
    confusions = [record.evaluation("chosen", "test", name).confusion for name in (RAW, "prior-correction")]
    assert confusions[0] == confusions[1]


def test_validation_labels_are_fitted_too_and_nothing_is_chosen_on_them() -> None:
    run = make_run(adds_validation=True)
    task = run.load_task()
    (x, y), (x_valid, y_valid) = rows(make_run().load_task().train), rows(task.valid)
    expected = probabilities(run, x=np.concatenate([x, x_valid]), y=np.concatenate([y, y_valid]))
    (evaluation,) = fitted(run).evaluations
    assert evaluation.confusion == confusion_matrix(rows(task.test)[1], expected.argmax(1)).tolist()


def test_a_class_that_training_lacks_keeps_its_column() -> None:
    record = fitted(make_run(spec=Wine(lacks=True)))
    confusion = np.array(record.evaluation("chosen", "test").confusion)
    assert confusion.shape == (3, 3)
    assert confusion[2].sum() > 0
    assert confusion[:, 2].sum() == 0
    floor = -np.log(np.finfo(float).eps)
    assert record.evaluation("chosen", "test").nll > floor * confusion[2].sum() / confusion.sum() * 0.99


def test_the_class_mix_counts_items_by_their_weights() -> None:
    """As in an epoch of the same sampler, and with the same effective sample size."""
    sampling = fitted(make_run("weighted-random-sampler")).sampling
    plain = fitted(make_run()).sampling
    assert plain.by_class == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    assert sampling.by_class == [round(276 / 10)] * 10
    assert (plain.coverage, sampling.coverage) == (1.0, 1.0)
    assert sampling.effective_sample_size is not None
    assert sampling.effective_sample_size < 276 / 2


def test_combined_remedies_that_correct_twice_are_warned_of() -> None:
    (note,) = fitted(make_run("weighted-random-sampler+loss-weights")).notes
    assert "correct it twice" in note


def test_an_ensemble_takes_the_place_of_the_estimator() -> None:
    from imblearn.ensemble import BalancedBaggingClassifier

    run = make_run("balanced-bagging(bags=3)")
    task = run.load_task()
    bagging = BalancedBaggingClassifier(
        MAKE["logistic-regression"](seed_of(run)), n_estimators=3, random_state=run.seed_for("ensemble") % 2**32
    )
    bagging.fit(*rows(task.train))
    assert_predicts(run, bagging.predict_proba(rows(task.test)[0]))


# What estimators do that they should not


class Odd:
    """A classifier without a base class: it predicts the shares of the classes that it knows."""

    def __init__(self, how: str = "") -> None:
        self.how = how

    def fit(self, x: np.ndarray, y: np.ndarray) -> Odd:
        print("fitting ...")
        if self.how == "warns":
            warnings.warn("did not converge", ConvergenceWarning, stacklevel=2)
        known = y[y < 1] if self.how == "few" else y
        self.classes_, counts = np.unique(known, return_counts=True)
        shares = counts / counts.sum()
        if self.how == "random":
            shares = np.random.dirichlet(np.ones(len(counts)))  # noqa: NPY002  (what no seed reaches)
        self.shares_ = shares[::-1] if self.how == "reversed" else shares
        self.classes_ = self.classes_[::-1] if self.how == "reversed" else self.classes_
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.tile(self.shares_ * np.nan if self.how == "nan" else self.shares_, (len(x), 1))


def odd(monkeypatch: pytest.MonkeyPatch, how: str, **changes: Any) -> Run:
    protocol = dataclasses.replace(LOGISTIC, model="/somewhere/mine.py:odd", model_source="hash")
    monkeypatch.setattr(Protocol, "load_estimator", lambda self: Estimator("mine.py:odd", lambda seed: Odd(how)))
    return make_run(protocol=protocol, spec=Wine(), **changes)


def test_columns_follow_classes_(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, other = (fitted(odd(monkeypatch, how)).evaluation("chosen", "test") for how in ("", "reversed"))
    assert plain == other


def test_fewer_classes_than_were_given_are_columns_of_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    confusion = np.array(fitted(odd(monkeypatch, "few")).evaluation("chosen", "test").confusion)
    assert confusion.sum(0).tolist() == [confusion.sum(), 0, 0]


def test_probabilities_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exception, match=r"mine\.py:odd: predict_proba must return probabilities that are finite"):
        fit_run(odd(monkeypatch, "nan"), Clock())


def test_a_warning_of_an_estimator_is_a_note_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitted(odd(monkeypatch, "warns")).notes == ["mine.py:odd: did not converge"]


def test_what_an_estimator_prints_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted(odd(monkeypatch, ""))
    assert capsys.readouterr().out == ""


def test_an_estimator_that_draws_from_global_random_numbers_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]  # noqa: NPY002
    first, second = (fitted(odd(monkeypatch, "random")).evaluation("chosen", "test") for _ in range(2))
    assert first == second
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index, union-attr]  # noqa: NPY002


def test_predictions_on_test_are_handed_over() -> None:
    handed: dict[str, PredictedClasses] = {}
    run = make_run(adjustments=("post-hoc-adjustment",))
    record = fit_run(run, Clock(), handed.__setitem__)
    assert handed.keys() == {record.id} == {run.id}
    assert handed[run.id].classes.keys() == {RAW, "post-hoc-adjustment"}


def test_rows_are_pooled_once_and_weighted_in_their_order() -> None:
    run = make_run("random-oversampling+loss-weights(power=0.5)")
    with pytest.warns(StrategyWarning, match="correct it twice"):
        pooled = PooledRows(run, run.load_task())
    assert pooled.weights is not None
    assert pooled.weights.mean().item() == pytest.approx(1)
    assert len(pooled.x) == len(pooled.y) == len(pooled.weights) == 1000
