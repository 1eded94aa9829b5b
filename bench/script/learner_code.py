"""A learner as Python source: what templates of rows and of taggers read of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.estimators.estimator_parameters import find_parameters, set_seed, use_one_thread
from bench.estimators.fitted_classifier import weight_argument
from bench.models.user_module import load_factory
from bench.planning.protocol import Protocol

_CONSTRUCTORS = {
    "hist-gradient-boosting": "HistGradientBoostingClassifier(early_stopping=False, random_state=ESTIMATOR_SEED)",
    "logistic-regression": "LogisticRegression(max_iter=1000, random_state=ESTIMATOR_SEED)",
    "random-forest": "RandomForestClassifier(random_state=ESTIMATOR_SEED)",
}
"""The estimators of `bench.estimators.estimator_table`."""


@dataclass(frozen=True)
class LearnerCode:
    """The template of a learner, and what it needs."""

    template: str
    type: str
    steps: bool
    """Whether it is trained step by step, and validated on the way."""
    validation: str
    """The arguments of its function `validate`, after the model."""
    code: str = ""
    """The body of the function that returns an estimator."""
    file: str = ""
    """The user's file that makes an estimator; empty for the package's own."""
    function: str = ""
    helpers: str = ""
    """Functions that the code above calls."""
    weight_argument: str = "sample_weight"


def learner_code(protocol: Protocol, *, replaced: bool) -> LearnerCode:
    """Return the learner of a protocol; `replaced` if the remedy puts an ensemble in its place."""
    if not protocol.is_estimator:
        if protocol.model == "mlp":
            return LearnerCode("mlp", "MLP", True, "*valid")
        return LearnerCode(protocol.model, "Tagger", True, "valid, word_ids")
    if not protocol.model_source:
        return LearnerCode("estimator", "ClassifierMixin", False, "", code=f"return {_CONSTRUCTORS[protocol.model]}")
    file, _, function = protocol.model.rpartition(":")
    takes_seed = "seed" in inspect.signature(load_factory(protocol.model, protocol.model_source)).parameters
    code = f"classifier = load_module().{function}({'seed=ESTIMATOR_SEED' if takes_seed else ''})\nuse_one_thread(classifier)\n"
    code += ("" if takes_seed else "set_seed(classifier, ESTIMATOR_SEED)\n") + "return classifier"
    helpers: list[Callable[..., object]] = [find_parameters, use_one_thread, *([] if takes_seed else [set_seed])]
    return LearnerCode(
        "estimator",
        "ClassifierMixin",
        False,
        "",
        code,
        str(Path(file).resolve()),
        function,
        helpers="\n\n\n".join(inspect.getsource(helper) for helper in helpers),
        weight_argument="sample_weight" if replaced else weight_argument(protocol.load_estimator().build(0)),
    )
