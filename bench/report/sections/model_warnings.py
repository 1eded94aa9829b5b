"""What a model fails at, whatever it is compared with: silent classes, a metric near a trivial one, unstable predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bench.errors import InputError
from bench.metrics.metric import find_column
from bench.records.record import Evaluation
from bench.report import wording
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE, display_name


def describe_instability(task: TaskResults, strategy: str) -> Iterator[str]:
    """Yield a sentence on how many predictions of a strategy, and of plain training, change from seed to seed."""
    shares = {name: task.results.instability.get((task.facts.task, name)) for name in (strategy, BASELINE)}
    if (share := shares[strategy]) is None:
        return
    ours, plain = wording.PLAIN_TRAINING.lower() if strategy == BASELINE else display_name(strategy), shares[BASELINE]
    if strategy == BASELINE or plain is None:
        yield wording.INSTABILITY.format(strategy=ours, share=f"{share:.1%}")
    else:
        yield wording.INSTABILITY_OF_BOTH.format(strategy=ours, share=f"{share:.1%}", plain=f"{plain:.1%}")


def warn_of_model(task: TaskResults, strategy: str) -> Iterator[str]:
    """Yield a sentence for what the model of a strategy fails at on test, computed from its confusion matrices."""
    if strategy not in task.means:
        return
    confusions = _confusions(task, strategy)
    words = {"model": wording.PLAIN_TRAINING if strategy == BASELINE else wording.capitalised(display_name(strategy))}
    silent = _count_seeds(task, confusions, lambda confusion: confusion.sum(axis=0) == 0)
    if silent:
        yield wording.NEVER_PREDICTED.format(classes=wording.shorten(list(silent.values())), **words)
    missed = _count_seeds(task, confusions, lambda confusion: np.diag(confusion) == 0)
    if never_found := [text for name, text in missed.items() if name not in silent]:
        yield wording.NEVER_FOUND.format(classes=wording.shorten(never_found), **words)
    sign = 1 if task.metric.direction == "up" else -1
    trivial = max(_trivial_values(task, confusions), key=lambda pair: sign * pair[1], default=None)
    if trivial is not None and sign * (task.means[strategy] - trivial[1]) < task.margin:
        is_worse = sign * (round(task.means[strategy], 3) - round(trivial[1], 3)) < 0
        yield wording.HARDLY_BETTER.format(
            hardly_better=wording.WORSE_THAN if is_worse else wording.HARDLY_BETTER_THAN,
            trivial=trivial[0],
            metric=task.metric_title,
            ours=f"{task.means[strategy]:.3f}",
            theirs=f"{trivial[1]:.3f}",
            **words,
        )


def _confusions(task: TaskResults, strategy: str) -> list[np.ndarray]:
    """Return the confusion matrices on test, truth by row, one per seed."""
    outcome = task.outcomes[strategy]
    return [
        np.asarray(record.evaluation("chosen", "test", outcome.planned.adjustment).confusion)
        for record in outcome.records.values()
    ]


def _count_seeds(
    task: TaskResults, confusions: list[np.ndarray], is_missing: Callable[[np.ndarray], np.ndarray]
) -> dict[str, str]:
    """Return the classes of test that are missing under some seed, and a text for each with the number of these seeds."""
    counts = np.sum([is_missing(confusion) & (confusion.sum(axis=1) > 0) for confusion in confusions], axis=0)
    return {
        name: wording.SILENT_CLASS.format(name=name, seeds=count, total=len(confusions))
        for name, count in zip(task.facts.class_names, counts, strict=True)
        if count
    }


def _trivial_values(task: TaskResults, confusions: list[np.ndarray]) -> Iterator[tuple[str, float]]:
    """Yield what needs no model, and its metric on the same test parts: the most frequent class, and a word's usual tag."""
    column = find_column(task.metric.name)
    if task.facts.baseline is not None and column in task.facts.baseline:
        yield wording.MOST_FREQUENT_TAG_OF_WORD, task.facts.baseline[column]
    always = [np.zeros_like(confusion) for confusion in confusions]
    for predictions, confusion in zip(always, confusions, strict=True):
        predictions[:, 0] = confusion.sum(axis=1)  # classes are sorted, the most frequent one in training first
    try:
        evaluations = [Evaluation("chosen", "test", predictions.tolist(), np.nan) for predictions in always]
        value = float(np.mean([task.metric.value(evaluation) for evaluation in evaluations]))
    except InputError:  # a metric of entities or of probabilities
        return
    yield wording.ALWAYS_PREDICT.format(name=task.facts.class_names[0]), value
