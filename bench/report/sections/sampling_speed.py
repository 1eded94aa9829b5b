"""How fast strategies sample, and the costs other than relative step time."""

from __future__ import annotations

from bench.report import wording
from bench.report.page_parts import Part
from bench.report.tables.cost_table import cost_table
from bench.report.task_results import TaskResults
from bench.report.titles import COSTS, EXTRA_COST, display_name

TITLE = wording.SAMPLING_SPEED
COLUMNS = [name for name in COSTS if "step" not in name and name != "peak_bytes"]
"""The other costs are in the section on cost and benefit."""
PER_SECOND = ("draws per second", "batches per second", "training items per second")


def build(task: TaskResults) -> list[Part]:
    """Return a figure and a table of what was measured per second."""
    table = cost_table(task.results, task.facts, task.part_name("cost"), COLUMNS)
    if task.is_of_estimator:
        return [wording.ESTIMATOR_SAMPLES_NOTHING]
    if not table.rows:
        return [wording.NOT_MEASURED]
    costs = task.results.costs_of(task.facts)
    fastest = max(costs, key=lambda strategy: costs[strategy]["draws_per_second"])
    slowest = min(costs, key=lambda strategy: costs[strategy]["draws_per_second"])
    alt = wording.SAMPLING_SPEED_ALT.format(fastest=display_name(fastest), slowest=display_name(slowest))
    return [
        wording.explain_costs("set-up", *PER_SECOND, "evaluation", EXTRA_COST),
        task.figure_file("throughput", alt),
        table,
    ]
