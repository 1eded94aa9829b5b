"""Which learners and which strategies are compared on a user's data, by the kind of its items."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from bench.errors import InputError
from bench.planning.protocol import Protocol, reference_protocol, with_learner
from bench.planning.suite import Block, Suite
from bench.tasks.task import Task, TaskSpec
from strategies import NotationError, Strategy, parse
from strategies.none import Plain

MLP, TREES, LINEAR = "mlp", "hist-gradient-boosting", "logistic-regression"

ADJUSTMENTS = ("thresholds", "post-hoc-adjustment")
"""Strategies that need no training of their own."""

POST_HOC = ("thresholds", "prior-correction")
"""Adjustments under which the runs of every strategy are evaluated too."""

REMEDIES = {
    "rows": (
        "loss-weights(power=0.5)",
        "logit-adjustment",
        "class-balanced-sampling",
        "random-oversampling",
        "loss-weights",
        "focal",
        "square-root-sampling",
        "random-undersampling",
        "smote",
        "deferred-reweighting",
    ),
    "windows": (
        "loss-weights(power=0.5)",
        "logit-adjustment",
        "square-root-sampling",
        "focal",
        "loss-weights",
        "deferred-reweighting",
        "random-oversampling",
    ),
    "sentences": (
        "loss-weights(power=0.5)",
        "logit-adjustment",
        "sentence-weights",
        "focal",
        "loss-weights",
        "deferred-reweighting",
        "sentence-duplication",
    ),
    "estimator": (
        "loss-weights(power=0.5)",
        "loss-weights",
        "random-oversampling",
        "random-undersampling",
        "balanced-bagging",
        "balanced-random-forest",
        "smote",
        "rus-boost",
        "easy-ensemble",
    ),
}
"""Trained remedies by kind of item, and those of estimators; the cheap ones with the best support in published comparisons first.

Of weights, samplers and losses that do nearly the same, one or two stand for all: every further candidate makes the choice less
certain."""

ROWS_PER_BATCH, EPOCHS, STEPS, MOST_STEPS = 256, 10, 1600, 12_800
"""Protocol of the MLP on a large table: items per batch, the epochs that a run makes at least, and its least and most steps."""
LARGE_TABLE = 2000
"""Training rows from which a table is large: the MLP's reference protocol is for smaller ones."""


def suite_for_data(
    spec: TaskSpec, task: Task, *, models: Sequence[str] = (), strategies: Sequence[str] = (), seeds: int
) -> Suite:
    """Return the suite that compares remedies on a task.

    `models` and `strategies` replace the learners and remedies for its kind of item; plain training is always compared.
    Raises an InputError for a model or a strategy that does not exist.
    """
    asked = _parse_all(["none", *strategies]) if strategies else None
    blocks = []
    for protocol in _protocols(spec, task, models):
        kind = "estimator" if protocol.is_estimator else spec.kind
        blocks.append(
            Block(
                spec,
                tuple(asked or _parse_all(["none", *ADJUSTMENTS, *REMEDIES[kind]])),
                protocol,
                post_hoc=tuple(_parse_all(POST_HOC)),
                name=f"{spec.label} with {protocol.model_name}",
            )
        )
    return Suite("compare", f"Remedies for class imbalance on {spec.label}", seeds, tuple(blocks))


def _protocols(spec: TaskSpec, task: Task, models: Sequence[str]) -> list[Protocol]:
    reference = _reference(spec, task)
    # Boosted trees take minutes on the hundreds of numbers that a text becomes.
    of_rows = [MLP, LINEAR if getattr(spec, "text", "") else TREES]
    names = models or (of_rows if spec.kind == "rows" else [reference.model])
    return [with_learner(reference, name) for name in dict.fromkeys(names)]


def _reference(spec: TaskSpec, task: Task) -> Protocol:
    """Return the protocol of the neural model: on a large table, with steps for a number of epochs."""
    reference, items = reference_protocol(spec), len(task.train.labels)
    if spec.kind != "rows" or items < LARGE_TABLE:
        return reference
    doublings = max(0, math.ceil(math.log2(EPOCHS * items / ROWS_PER_BATCH / STEPS)))
    steps = min(MOST_STEPS, STEPS * 2**doublings)
    return dataclasses.replace(
        reference, batch_size=ROWS_PER_BATCH, learning_rate=2e-3, steps=steps, validate_every=steps // 16
    )


def is_trained(strategy: Strategy) -> bool:
    """Whether a strategy needs runs of its own: not plain training with its logits adjusted."""
    return strategy != Plain() and str(strategy) not in ADJUSTMENTS


def _parse_all(texts: Sequence[str]) -> list[Strategy]:
    try:
        return [parse(text) for text in dict.fromkeys(texts)]
    except NotationError as error:
        raise InputError(str(error)) from None
