"""What is not in the comparison, and why; and what strategies warned about."""

from __future__ import annotations

from bench.report import wording
from bench.report.page_parts import Part
from bench.report.tables.excluded_table import excluded_table
from bench.report.task_results import TaskResults

TITLE = wording.MISSING


def build(task: TaskResults) -> list[Part]:
    """Return one row for each strategy that is not complete, and for each warning."""
    table = excluded_table(task.results, task.facts, task.part_name("missing"))
    return [table] if table.rows else [wording.NOTHING_MISSING]
