"""A run of an estimator: fitted once on its pool, and evaluated as the runs of a stack are."""

from __future__ import annotations

import platform
from collections.abc import Callable

import torch
from torch import Tensor

from bench.estimators.fitted_classifier import fit_classifier
from bench.machine.facts import package
from bench.planning.run import Run
from bench.records.predictions import PredictedClasses
from bench.records.record import Failure, Record, SamplingStats
from bench.tasks.leakage import is_changed, refuse_changed, refuse_held_out_rows
from bench.tasks.loaded_tasks import forget_loaded_tasks
from bench.tasks.part import Part, Pool, Rows
from bench.tasks.task import Task
from bench.train.clock import Clock
from bench.train.evaluation import evaluate_run
from bench.train.strategy_notes import collect_notes
from strategies import Head, Strategy, effective_sample_size

NO_HEAD = Head(torch.empty(0, 0), torch.empty(0))
"""An estimator has no last layer: strategies that read one are not applicable to it."""


def fit_run(
    run: Run, clock: Clock, on_predictions: Callable[[str, PredictedClasses], None] = lambda id, predictions: None
) -> Record | Failure:
    """Fit a run's estimator and return its record.

    `on_predictions(id, predictions)` is called with its predictions on test.
    """
    seconds_before = dict(clock.seconds)
    notes: list[str] = []
    with clock("setup"):
        task, estimator = run.load_task(), run.protocol.load_estimator()
        if is_changed([task]):  # by a strategy that this process trained before
            forget_loaded_tasks()
            task = run.load_task()
            assert not is_changed([task]), "data are loaded as they are"  # from now on changes are noticed
    with clock("draw"), collect_notes(notes):
        pool = resample_pool(run, task)
        refuse_held_out_rows(pool, task)
        item_weights = _item_weights(run.strategy, pool, task)
        weights = _sample_weights(run.strategy, pool, task, item_weights)
    with clock("step"):
        x, y = pool_rows(pool)
        classes = task.train.labels.num_classes
        fitted = fit_classifier(estimator, x, y, weights, classes=classes, seed=run.seed_for("init") % 2**32)
    with clock("evaluate"):
        on_valid, on_test = (fitted.log_probabilities(_rows(part).x) for part in (task.valid, task.test))
        final = evaluate_run(run, task, NO_HEAD, on_valid, on_test, on_test)
        refuse_changed([task])
    times = {what: seconds - seconds_before.get(what, 0.0) for what, seconds in clock.seconds.items()}
    on_predictions(run.id, final.predictions)
    return Record(
        run.id,
        run.label,
        run.name,
        run.seed,
        run.identity(),
        class_names=list(task.train.labels.class_names),
        evaluations=final.evaluations,
        curve=[],
        chosen_step=1,
        converged=True,
        sampling=_sampling_stats(pool, task, item_weights),
        notes=notes,
        provenance={
            "scikit-learn": package("scikit-learn"),
            "torch": torch.__version__,
            "device": "cpu",
            "python": platform.python_version(),
        },
        times={f"stack_{what}_seconds": round(seconds, 3) for what, seconds in times.items()},
    )


def resample_pool(run: Run, task: Task) -> Pool:
    """Return the run's pool: the training part as its strategy resamples it."""
    return Pool.of(
        task.train, run.strategy.resample(_rows(task.train).x, task.train.labels, seed=run.seed_for("resample"))
    )


def pool_rows(pool: Pool) -> tuple[Tensor, Tensor]:
    """Return the rows `(N, F)` of a pool, and their classes `(N,)`."""
    x = _rows(pool.part).x
    return x if pool.index is None else x[pool.index], pool.labels.values


def _rows(part: Part) -> Rows:
    assert isinstance(part, Rows), "an estimator is planned for rows of numbers only"
    return part


def _item_weights(strategy: Strategy, pool: Pool, task: Task) -> Tensor | None:
    """Return how often the strategy would sample each item of the pool, `(N,)` with mean 1; None if all alike."""
    weights = strategy.item_weights(pool.labels, task.train.labels.counts())
    return None if weights is None else weights / weights.mean()


def _sample_weights(strategy: Strategy, pool: Pool, task: Task, item_weights: Tensor | None) -> Tensor | None:
    """Return the product of item weights and class weights, `(N,)` float64; None where there are neither.

    Class weights that training divides by their sum ("weighted-mean") get a mean of 1: an estimator sets the sum of its losses
    against penalties that do not know the weights, and should see as many items as it has. Those that are divided by the number
    of items stay as they are, since that is what their scale is for.
    """
    class_weights = strategy.class_weights(task.train.labels.counts())
    if class_weights is None:
        return item_weights
    by_item = class_weights.values.double()[pool.labels.values]
    weights = by_item if item_weights is None else by_item * item_weights
    return weights / weights.mean() if class_weights.reduction == "weighted-mean" else weights


def _sampling_stats(pool: Pool, task: Task, item_weights: Tensor | None) -> SamplingStats:
    """Summarise the pool; item weights count as often as they would be sampled in an epoch."""
    labels, real_items = pool.labels, len(task.train.labels)
    times = torch.ones(len(labels), dtype=torch.float64) if item_weights is None else item_weights
    index = torch.arange(len(labels)) if pool.index is None else pool.index
    seen = torch.unique(index[(times > 0) & (index < real_items)])
    by_class = torch.bincount(labels.values, weights=times, minlength=labels.num_classes).round().long()
    return SamplingStats(
        items=len(labels),
        labels=int(by_class.sum()),
        by_class=by_class.tolist(),
        coverage=len(seen) / real_items,
        effective_sample_size=None if item_weights is None else effective_sample_size(item_weights),
    )
