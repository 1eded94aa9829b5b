"""Whether validation scores had stopped improving: curves, the checkpoints chosen, and how many were the last."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.text.numbers import format_number

TITLE = wording.CONVERGENCE


def build(task: TaskResults) -> list[Part]:
    """Return the curves of the strategies that were trained, and a table of the chosen steps."""
    if task.is_of_estimator:
        return [wording.ESTIMATOR_HAS_NO_STEPS]
    rows = list(_rows(task))
    if not rows:
        return []
    strategies = "; ".join(
        wording.CONVERGENCE_OF.format(strategy=row["strategy"], late=row["not converged"], seeds=row["seeds"])
        for row in rows
    )
    metric = task.results.checkpoint_metric_title(task.facts)
    return [
        task.figure_file("curves", wording.CONVERGENCE_ALT.format(metric=metric, strategies=strategies)),
        Table(rows, task.part_name("curves")),
    ]


def _rows(task: TaskResults) -> Iterator[dict[str, str]]:
    chosen = task.results.curves.query("chosen and task == @task.facts.task")
    trained = task.results.strategies_with_runs(task.facts)
    for strategy, steps in chosen.groupby("strategy", sort=False)["step"]:
        outcome = task.outcomes[str(strategy)]
        if strategy in trained:
            yield {
                "strategy": display_name(str(strategy)),
                "seeds": str(len(outcome.records)),
                "not converged": str(outcome.not_converged),
                "step chosen, mean": format_number(float(steps.mean()), ".0f"),
                "earliest": format_number(float(steps.min()), ".0f"),
                "latest": format_number(float(steps.max()), ".0f"),
            }
