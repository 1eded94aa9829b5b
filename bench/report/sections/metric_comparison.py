"""Metrics that follow the class mix of test next to metrics that weigh classes equally, and why the two disagree."""

from __future__ import annotations

from bench.metrics.metric import METRICS, find_column
from bench.report import wording
from bench.report.frame import rows_by_index
from bench.report.recommendation import Recommendation
from bench.report.task_results import TaskResults, is_exploratory
from bench.report.titles import BASELINE, MEASURES, display_name
from bench.stats import BETTER, TOO_FEW_SEEDS, WORSE
from bench.text.numbers import format_number, plural

COLUMNS = ("macro_f1", "accuracy", "balanced_accuracy", "worst_class_recall")
"""The first two depend on the class mix of test, the others do not."""
BINARY_COLUMNS = tuple(metric.column for metric in METRICS if metric.binary)
"""Those of the positive class, where there are two classes."""


def compare_metrics(task: TaskResults, recommendation: Recommendation | None) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of a table: the best remedy, its rival and the baseline."""
    means = rows_by_index(task.results.means(task.facts))
    column = find_column(task.metric.name)
    columns = [*COLUMNS, *(BINARY_COLUMNS if len(task.facts.class_names) == 2 else ())]
    measures = [*columns, *([column] if column is not None and column not in columns else [])]
    strategies = [*([recommendation.best.strategy, recommendation.rival] if recommendation else []), BASELINE]
    rows = [
        [display_name(name), *(format_number(means[name][f"{measure}_mean"]) for measure in measures)]
        for name in dict.fromkeys(strategies)
        if name in means
    ]
    return [wording.MEANS_ON_TEST, *(MEASURES[measure] for measure in measures)], rows


def explain_disagreement(task: TaskResults) -> str:
    """Return why metrics may rank strategies differently, and how often they do on this task."""
    if task.facts.prior == "balanced":
        return wording.BALANCED_TEST
    balanced, natural = (task.compare_by_measure(name).verdicts for name in ("balanced_accuracy", "macro_f1"))
    if not natural:
        return ""
    decided = [verdict for verdict in natural if not is_exploratory(verdict) and verdict.outcome != TOO_FEW_SEEDS]
    worse = {verdict.strategy for verdict in decided if verdict.outcome == WORSE}
    disputed = [verdict.strategy for verdict in balanced if verdict.outcome == BETTER and verdict.strategy in worse]
    counts = wording.METRICS_DISAGREE.format(
        count=len(disputed),
        remedies=plural(len(decided), "remedy"),
        strategies=f" ({wording.names(disputed)})" if disputed else "",
    )
    return wording.NATURAL_TEST.format(counts=counts if decided else "")
