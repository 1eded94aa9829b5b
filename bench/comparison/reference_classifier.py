"""The classifier that a comparison must not rank below: scikit-learn's boosted trees with balanced class weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench.comparison.comparison_run import FinishedComparison
from bench.errors import InputError
from bench.metrics.part_evaluation import Predictions
from bench.metrics.selection_metric import SelectionMetric
from bench.planning.seeds import split_generator
from bench.report.choice_on_test import compare_on_test, task_of
from bench.report.results_directory import load_study
from bench.stats import Verdict
from bench.tasks.task import Task
from bench.user_data.table_task import PreparedTable, TableTask


@dataclass(frozen=True)
class ReferenceComparison:
    """What a comparison chose, against the reference classifier, on the same test rows and by the same metric."""

    table: str
    rows: int
    ratio: float
    """Training labels of the most frequent class per label of the rarest."""
    learner: str
    strategy: str
    mean: float
    """Of the metric over seeds, of what was chosen."""
    against_training: Verdict
    """The choice minus the reference, fitted to the training rows, as the candidates are."""
    against_all: Verdict
    """The choice minus the reference, fitted to the training and the validation rows."""


def compare_with_reference(spec: TableTask, finished: FinishedComparison) -> ReferenceComparison:
    """Compare what a finished comparison chose with the reference classifier, by seed.

    Raises an InputError if nothing has finished.
    """
    results, choice = load_study(finished.store).results(), finished.choice
    if choice is None:
        raise InputError(f"{spec.label}: no strategy has finished, so there is nothing to compare with the reference")
    chosen = choice.chosen
    task = task_of(results, chosen)
    by_strategy = {str(strategy): row for strategy, row in task.values.dropna().iterrows()}
    ours = by_strategy[chosen.strategy]
    seeds = list(map(int, ours.index))
    scores = [
        pd.Series(score_reference(spec, seeds, task.metric, add_validation=added), ours.index)
        for added in (False, True)
    ]
    imbalance = spec.load(split_generator(spec.label, 0)).imbalance
    return ReferenceComparison(
        spec.label,
        imbalance.items,
        imbalance.ratio,
        chosen.learner,
        chosen.strategy,
        float(ours.mean()),
        *(compare_on_test(ours, theirs, task) for theirs in scores),
    )


def score_reference(
    spec: TableTask, seeds: Sequence[int], metric: SelectionMetric, *, add_validation: bool
) -> list[float]:
    """Return the metric on test of the reference classifier for each seed.

    It reads the columns as they are in the table: numbers unscaled, with missing values, and strings as categories, which it
    handles itself. `add_validation`: it is fitted to the validation rows too, as it needs none of them.
    """
    table = spec.prepare()
    features = _native_types(table)
    return [_score(spec, table, features, seed, metric, add_validation) for seed in seeds]


def _score(
    spec: TableTask,
    table: PreparedTable,
    features: pd.DataFrame,
    seed: int,
    metric: SelectionMetric,
    add_validation: bool,
) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    task: Task = spec.load(split_generator(spec.label, seed))
    assert task.rows is not None
    names = list(task.train.labels.class_names)
    fitted = np.concatenate([task.rows.train, task.rows.valid]) if add_validation else task.rows.train
    fitted, test = (np.searchsorted(table.source_rows, rows) for rows in (fitted, task.rows.test))
    classifier = HistGradientBoostingClassifier(
        class_weight="balanced", categorical_features="from_dtype", random_state=seed
    )
    with threadpool_limits(limits=1):
        classifier.fit(features.iloc[fitted], table.labels[fitted])
        known = classifier.predict_proba(features.iloc[test])
    probabilities = torch.zeros(len(test), len(names), dtype=torch.float64)
    probabilities[:, [names.index(name) for name in classifier.classes_]] = torch.from_numpy(known)
    predictions = Predictions.with_probabilities(probabilities.log(), task.test)
    return metric.value(predictions.evaluation(task.test, "chosen", "test"))


def _native_types(table: PreparedTable) -> pd.DataFrame:
    """Return the columns as pandas types that the reference classifier reads."""
    if not isinstance(table.features, pd.DataFrame):
        raise InputError("the reference classifier reads no table that is too large to be read at once")
    columns: dict[str, Any] = {}
    for column in table.plan.used:
        values = table.features[column.column]
        if column.kind == "text":
            raise InputError(f"the reference classifier reads no text, but {column.column!r} is a column of texts")
        if column.kind == "categories":
            columns[column.column] = values.astype("category")
        elif column.kind == "date":
            columns[column.column] = (values - pd.Timestamp(0)).dt.total_seconds()
        else:
            columns[column.column] = values.astype("float64")
    return pd.DataFrame(columns)
