"""Estimators by name and from a user's file: planned beside neural models, checked, and refused in one line."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.engine.events import Advanced, Finished
from bench.engine.local_workers import run_stacks
from bench.engine.packing import pack
from bench.errors import InputError
from bench.planning.plan import Plan, make_plan
from bench.planning.protocol import ROWS, reference_protocol, with_learner
from bench.planning.run import Run
from bench.planning.suite import Block, Suite, read_suite, with_model, with_steps
from bench.records.record import Failure, Record
from bench.tasks import find_task
from strategies import parse

CPU = torch.device("cpu")
DIGITS = find_task("digits-lt")
HEADER = """\
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

class Own:
    def fit(self, x, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
    def predict_proba(self, x):
        return np.tile(self.shares_, (len(x), 1))

"""


def plan(learner: str, *strategies: str, folder: Path | None = None) -> Plan:
    """Plan a learner on digits: one by name, or what the function `make` of a file with these lines returns."""
    if folder is not None:
        (folder / "mine.py").write_text(HEADER + learner)
        learner = f"{folder / 'mine.py'}:make"
    block = Block(DIGITS, tuple(map(parse, strategies or ("none",))), with_learner(ROWS, learner))
    return make_plan(Suite("own", "Own", 2, (block,)), CPU)


def skipped(plan: Plan) -> dict[str, str]:
    return {row.strategy: row.skipped for row in plan.study.strategies if row.skipped is not None}


def words_with(learner: str) -> Suite:
    task = find_task("synthetic-conll(scale=0.01)")
    return Suite("words", "Words", 1, (Block(task, (parse("none"),), with_learner(reference_protocol(task), learner)),))


BAD = {
    "def make():\n    from sklearn.svm import SVC\n    return SVC()": "SVC, which has no predict_proba; wrap it in sklearn.calib",
    "def make():\n    from sklearn.linear_model import Ridge\n    return Ridge()": "Ridge, a regressor; return the classifier",
    "def make():\n    return LogisticRegression": "the class LogisticRegression; return an object of it, LogisticRegression()",
    "def make():\n    return 3": "returned int, which has no fit; return a classifier of scikit-learn",
    "def make():\n    raise OSError('no licence')": "mine.py:15: mine.py:make failed: OSError: no licence",
    "def make():\n    return KNeighborsClassifier(1000)": "cannot be fitted to 60 synthetic rows of 64 numbers: Expected n_n",
    (
        "class Named(Own):\n    def fit(self, x, y):\n        super().fit(x, y)\n"
        "        self.classes_ = np.array([f'c{c}' for c in self.classes_])\n\nmake = Named"
    ): "its classes_ are ['c0', 'c1', 'c2'], but it was fitted to the class numbers 0 to 2",
    (
        "class Odds(Own):\n    def predict_proba(self, x):\n        return 2 * super().predict_proba(x)\n\nmake = Odds"
    ): "sum to 1; it returned values from 0.666667 to 0.666667 with sums from 2 to 2",
}


@pytest.mark.parametrize("source", BAD)
def test_what_is_no_classifier_is_refused_in_one_line(source: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        plan(source, folder=tmp_path)
    message = str(error.value)
    assert BAD[source] in message
    assert "mine.py:make" in message
    assert "\n" not in message


def test_a_users_estimator_is_planned_with_one_thread_and_its_own_hyper_parameters(tmp_path: Path) -> None:
    study = plan("def make():\n    return KNeighborsClassifier(3, n_jobs=-1)", folder=tmp_path).study
    protocol = study.protocols["digits-lt"]
    assert {**protocol, "model_source": ""} == {
        "model": "mine.py:make",
        "model_source": "",
        "version": 1,
        "estimator": "KNeighborsClassifier(n_jobs=1, n_neighbors=3)",
    }


def test_an_estimator_that_uses_one_thread_is_not_told_to(tmp_path: Path) -> None:
    source = "def make():\n    return make_pipeline(StandardScaler(), LogisticRegression())"
    estimator = plan(source, folder=tmp_path).runs[0].protocol.load_estimator().build(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # LogisticRegression warns of an n_jobs that has no effect
        estimator.fit(torch.eye(4).numpy(), [0, 1, 0, 1])


def test_a_class_without_a_base_is_a_classifier_too(tmp_path: Path) -> None:
    planned = plan("make = Own", "none", "random-oversampling", "loss-weights", "balanced-bagging", folder=tmp_path)
    assert planned.study.protocols["digits-lt"]["estimator"] == "Own"
    reasons = skipped(planned)
    assert reasons.keys() == {"loss-weights", "balanced-bagging"}
    assert "mine.py:make takes no sample_weight" in reasons["loss-weights"]
    assert "scikit-learn cannot copy" in reasons["balanced-bagging"]


def test_a_pipeline_takes_weights_in_its_last_step(tmp_path: Path) -> None:
    source = "def make():\n    return make_pipeline(StandardScaler(), LogisticRegression())"
    assert skipped(plan(source, "none", "loss-weights", "easy-ensemble", folder=tmp_path)) == {}


def test_a_function_that_takes_a_seed_gets_that_of_the_run(tmp_path: Path) -> None:
    source = "def make(seed):\n    return LogisticRegression(random_state=seed)"
    runs = plan(source, folder=tmp_path).runs
    seeds = [run.protocol.load_estimator().build(run.seed_for("init") % 2**32).random_state for run in runs]
    assert seeds == [run.seed_for("init") % 2**32 for run in runs]
    unseeded = plan("def make():\n    return LogisticRegression(random_state=0)", folder=tmp_path).runs[0]
    assert unseeded.protocol.load_estimator().build(7).random_state == 7


def test_what_means_nothing_to_an_estimator_is_skipped_with_the_reason() -> None:
    reasons = skipped(
        plan(
            "logistic-regression",
            *(
                "none",
                "focal",
                "ldam",
                "mixup",
                "deferred-reweighting",
                "classifier-retraining",
                "progressive-sampling",
                "tau-normalisation",
            ),
            *(
                "loss-weights",
                "smote",
                "weighted-random-sampler",
                "thresholds",
                "prior-correction",
                "balanced-random-forest",
            ),
            *("loss-weights+balanced-bagging", "smote+focal"),
        )
    )
    assert {name: reason.partition(",")[0] for name, reason in reasons.items()} == {
        "focal": "it replaces the loss",
        "ldam": "it replaces the loss",
        "mixup": "it mixes the items of a batch",
        "deferred-reweighting": "it changes what holds as training goes on",
        "classifier-retraining": "it changes what holds as training goes on",
        "progressive-sampling": "it samples anew as training goes on",
        "tau-normalisation": "it acts on the last layer of a neural model",
        "loss-weights+balanced-bagging": "it weights rows",
        "smote+focal": "it replaces the loss",
    }


def test_two_learners_on_one_task_share_split_and_seeds_but_neither_name_nor_id() -> None:
    blocks = tuple(
        Block(DIGITS, (parse("none"),), protocol, name=f"digits-lt with {protocol.model}")
        for protocol in (ROWS, with_learner(ROWS, "logistic-regression"))
    )
    planned = make_plan(Suite("both", "Both", 1, blocks), CPU)
    names = ["digits-lt with mlp", "digits-lt with logistic-regression"]
    assert [facts.task for facts in planned.study.tasks] == [row.task for row in planned.study.strategies] == names
    assert [facts.learner for facts in planned.study.tasks] == ["mlp", "logistic-regression"]
    assert list(planned.study.protocols) == names
    first, second = planned.runs
    assert first.id != second.id
    assert first.load_task().digest == second.load_task().digest
    assert first.seed_for("init") == second.seed_for("init")


def test_ids_of_estimators_hold_model_source_and_version_only() -> None:
    protocol = with_learner(ROWS, "random-forest")
    assert protocol.identity() == {"model": "random-forest", "version": 1}
    assert Run(DIGITS, parse("none"), protocol, 0, "data").id == "d68304667eb3dc214b94"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: with_learner(ROWS, "gradient-boosting"), "hist-gradient-boosting, logistic-regression, random-forest"),
        (lambda: with_model(read_suite("tuned"), "random-forest"), "tuned over learning rates"),
        (lambda: with_steps(with_model(read_suite("quick"), "random-forest"), 40), "have no training steps"),
        (
            lambda: make_plan(words_with("random-forest"), CPU),
            "fitted to rows of numbers, and this task",
        ),
    ],
    ids=["name", "tuning", "steps", "words"],
)
def test_what_an_estimator_cannot_do_is_refused(change: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        change()


def test_a_suite_file_names_an_estimator_and_its_blocks(tmp_path: Path) -> None:
    text = 'title = "t"\nseeds = 1\n' + "".join(
        f'[[block]]\ntask = "digits-lt"\nname = "digits-lt with {model}"\nstrategies = ["none"]\nprotocol = {{ {protocol} }}\n'
        for model, protocol in (("mlp", "steps = 100"), ("forest", 'model = "random-forest"'))
    )
    path = tmp_path / "two.toml"
    path.write_text(text)
    assert [block.label for block in read_suite(str(path)).blocks] == ["digits-lt with mlp", "digits-lt with forest"]
    path.write_text(text.replace('model = "random-forest"', 'steps = 3, model = "random-forest"'))
    with pytest.raises(
        InputError, match=r"two\.toml:\d+: protocol: steps has no effect on random-forest, an estimator"
    ):
        read_suite(str(path))


def test_stacks_of_estimators_are_fitted_one_by_one_in_worker_processes() -> None:
    """The failure of one run is its own, and progress counts no steps."""
    good = Run(DIGITS, parse("none"), with_learner(ROWS, "logistic-regression"), 0, "data")
    bad = Run(DIGITS, parse("loss-weights"), good.protocol, 0, "data", adjustments=(parse("tau-normalisation"),))
    packing = pack([good, bad], 1, CPU)
    assert [len(stack) for stack in packing.stacks] == [1, 1]
    events = list(run_stacks(packing.stacks, workers=1, device="cpu"))
    outcomes = [outcome for event in events if isinstance(event, Finished) for outcome in event.outcomes]
    assert {outcome.strategy: type(outcome) for outcome in outcomes} == {"none": Record, "loss-weights": Failure}
    assert [event.steps for event in events if isinstance(event, Advanced)] == [0]


def test_reference_protocols_are_those_of_neural_models() -> None:
    assert not reference_protocol(DIGITS).is_estimator
    assert with_learner(ROWS, "mlp") == ROWS
