"""Whether a strategy can be used on a task with a model, and the reason where it cannot."""

from __future__ import annotations

from collections.abc import Sequence

from bench.estimators.estimator import Estimator
from bench.estimators.fitted_classifier import has_sample_weight, is_cloneable
from bench.models.model import Model
from bench.models.user_module import UserModule
from bench.models.variant import ModelVariant
from bench.planning.phase_steps import why_too_short
from bench.tasks.task import Task
from strategies import Strategy
from strategies.combination import overrides, split_adjustment


def why_not_applicable(strategies: Sequence[Strategy], task: Task, model: Model | Estimator, steps: int) -> str | None:
    """Return the first reason why one of the strategies cannot be trained for so many steps; None if all can.

    The strategies are the configurations of one: where one cannot be used, the tuned strategy is skipped as a whole.
    """
    for strategy in strategies:
        if isinstance(model, Estimator):
            reason = why_not_on_task(strategy, task) or _why_not_with_estimator(strategy, model)
        else:
            reason = (
                why_not_on_task(strategy, task)
                or _why_not_with_model(strategy, model)
                or why_too_short(strategy, steps)
            )
        if reason:
            return reason
    return None


def why_not_on_task(strategy: Strategy, task: Task) -> str | None:
    """Return why a strategy cannot be used on a task, whatever the model; None if it can."""
    labels = task.train.labels
    if (reason := strategy.why_not_applicable(labels, task.inputs)) is not None or not strategy.needs_prior:
        return reason
    prior = split_adjustment(strategy)[0].effective_prior(labels, labels.counts())
    if prior is None:
        return "the class prior that this training teaches is not known"
    if not bool((prior > 0).all()):
        return "a class has no share in what is trained on, so its prior cannot be corrected"
    return None


def _why_not_with_model(strategy: Strategy, model: Model) -> str | None:
    """A user's module hides its embedding, and perhaps its last layer; the package's models support what is trained by steps."""
    if any(overrides(part, "ensemble") for part in strategy.parts):
        return f"it is an ensemble of scikit-learn estimators, and {model.name} is a neural network"
    if not isinstance(model, UserModule):
        return None
    variant, phases = ModelVariant.of(strategy), strategy.phases()
    if variant.mixes and model.shape.vocabulary:
        return "words are mixed after their embedding, which is inside the module"
    changes_head = any(phase.reset_head or phase.trains != "all" for phase in phases) or strategy.needs_head
    if model.has_head or not (changes_head or variant.cosine or variant.features):
        return None
    return (
        f"it acts on the last layer, and {model.name} does not expose one: name it head, an nn.Linear with a bias and "
        "parameters of its own, which is called once, reads one vector per item or word, and returns the logits unchanged"
    )


def _why_not_with_estimator(strategy: Strategy, estimator: Estimator) -> str | None:
    """An estimator is fitted at once to weighted rows, and gives probabilities: there are no batches, steps or layers."""
    for part in strategy.parts:
        for hook, reason in _NOT_OF_AN_ESTIMATOR.items():
            if overrides(part, hook):
                return reason
        if overrides(part, "index_stream") and not overrides(part, "item_weights"):
            return (
                "it samples anew as training goes on, and items have no weights that an estimator could be fitted with"
            )
        if part.needs_head:
            return "it acts on the last layer of a neural model, which an estimator does not have"
    weighs = any(overrides(part, hook) for part in strategy.parts for hook in ("item_weights", "class_weights"))
    ensemble = strategy.ensemble(single := estimator.build(0), seed=0)
    if ensemble is None:
        takes_weights, name = estimator.takes_weights, estimator.name
    else:
        if any(value is single for value in vars(ensemble).values()) and not is_cloneable(single):
            return (
                f"it fits copies of {estimator.name}, which scikit-learn cannot copy: let it inherit from BaseEstimator"
            )
        takes_weights, name = has_sample_weight(ensemble), type(ensemble).__name__
    if weighs and not takes_weights:
        return f"it weights rows, and {name} takes no sample_weight; resampling, as in random-oversampling, needs none"
    return None


_NOT_OF_AN_ESTIMATOR = {
    "phases": "it changes what holds as training goes on, and an estimator is fitted at once",
    "mix": "it mixes the items of a batch, and an estimator has no batches",
    "loss": "it replaces the loss, and an estimator has its own; class weights act on it, as in loss-weights",
}
"""Hooks that mean nothing to an estimator, and why."""
