"""A run of an estimator: fitted once on its pool, and evaluated as the runs of a stack are."""

from __future__ import annotations

import platform
from collections.abc import Callable

import torch

from bench.estimators.fitted_classifier import FittedClassifier, fit_classifier
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
from bench.train.warning_notes import collect_notes
from strategies import Head, effective_sample_size

NO_HEAD = Head(torch.empty(0, 0), torch.empty(0))
"""An estimator has no last layer: strategies that read one are not applicable to it."""


def fit_run(
    run: Run, clock: Clock, on_predictions: Callable[[str, PredictedClasses], None] = lambda id, predictions: None
) -> Record | Failure:
    """Fit a run's estimator, and return its record.

    `on_predictions(id, predictions)` is called with its predictions on test.
    """
    seconds_before = dict(clock.seconds)
    notes: list[str] = []
    with clock("setup"):
        task = run.load_task()
        if is_changed([task]):  # by a strategy that this process trained before
            forget_loaded_tasks()
            task = run.load_task()
            assert not is_changed([task]), "data are loaded as they are"  # from now on changes are noticed
        model = run.protocol.load_estimator().description  # builds it once: imports are not part of the fit's time
    with clock("draw"), collect_notes(notes):
        rows = PooledRows(run, task)
        refuse_held_out_rows(rows.pool, task)
    with collect_notes(notes, UserWarning, RuntimeWarning, prefix=f"{run.protocol.model_name}: "):
        with clock("step"):
            fitted = fit_estimator(run, rows)
        with clock("evaluate"):
            on_valid, on_test = (fitted.log_probabilities(_rows(part).x) for part in (task.valid, task.test))
    with clock("evaluate"):
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
        sampling=rows.sampling_stats(),
        notes=notes,
        provenance={
            "scikit-learn": package("scikit-learn"),
            "torch": torch.__version__,
            "device": "cpu",
            "python": platform.python_version(),
            "model": model,
        },
        times={f"stack_{what}_seconds": round(seconds, 3) for what, seconds in times.items()},
    )


def fit_estimator(run: Run, rows: PooledRows) -> FittedClassifier:
    """Fit the run's estimator, or the ensemble that its strategy makes of it."""
    estimator, seed = run.protocol.load_estimator(), run.seed_for("init") % 2**32
    single = estimator.build(seed)
    ensemble = run.strategy.ensemble(single, seed=run.seed_for("ensemble"))
    return fit_classifier(
        estimator.name,
        single if ensemble is None else ensemble,
        rows.x,
        rows.y,
        rows.weights,
        classes=rows.labels.num_classes,
        seed=seed,
    )


class PooledRows:
    """The rows that an estimator is fitted to: the training part as the run's strategy resamples and weights it."""

    def __init__(self, run: Run, task: Task) -> None:
        labels, strategy = task.train.labels, run.strategy
        resampled = strategy.resample(_rows(task.train).x, labels, seed=run.seed_for("resample"))
        self.pool = Pool.of(task.train, resampled)
        self.labels = self.pool.labels
        x = _rows(self.pool.part).x
        self.x = x if self.pool.index is None else x[self.pool.index]
        """`(N, F)`."""
        self.y = self.labels.values
        """Class ids `(N,)`."""
        self._real_items = len(labels)
        item_weights = strategy.item_weights(self.labels, labels.counts())
        self._item_weights = None if item_weights is None else item_weights / item_weights.mean()
        class_weights = strategy.class_weights(labels.counts())
        self.weights = self._item_weights
        """`(N,)` float64, the product of item weights and class weights; None where there are neither.

        Item weights have a mean of 1, and so has the product with class weights that training divides by their sum
        ("weighted-mean"): an estimator sets the sum of its losses against penalties that do not know the weights, and should
        see as many items as there are. Class weights that are divided by the number of items keep their scale, which is what
        it is for."""
        if class_weights is not None:
            by_item = class_weights.values.double()[self.y]
            product = by_item if self._item_weights is None else by_item * self._item_weights
            self.weights = product / product.mean() if class_weights.reduction == "weighted-mean" else product
        # A stream warns of what is wrong with the weights when it is set up. Nothing is sampled from it.
        next(strategy.index_stream(self.labels, labels.counts(), batch_size=1, steps=1, seed=run.seed_for("stream")))

    def sampling_stats(self) -> SamplingStats:
        """Summarise the rows; item weights count as often as they would be sampled in an epoch."""
        times = torch.ones(len(self.y), dtype=torch.float64) if self._item_weights is None else self._item_weights
        index = torch.arange(len(self.y)) if self.pool.index is None else self.pool.index
        seen = torch.unique(index[(times > 0) & (index < self._real_items)])
        by_class = torch.bincount(self.y, weights=times, minlength=self.labels.num_classes).round().long()
        return SamplingStats(
            items=len(self.y),
            labels=int(by_class.sum()),
            by_class=by_class.tolist(),
            coverage=len(seen) / self._real_items,
            effective_sample_size=None if self._item_weights is None else effective_sample_size(self._item_weights),
        )


def _rows(part: Part) -> Rows:
    assert isinstance(part, Rows), "an estimator is planned for rows of numbers only"
    return part
