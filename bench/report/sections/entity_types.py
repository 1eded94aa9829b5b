"""Precision, recall and F1 of every entity type: which kinds of entities a remedy finds."""

from __future__ import annotations

from bench.report import wording
from bench.report.page_parts import Part
from bench.report.tables.entity_table import entity_table
from bench.report.task_results import TaskResults

TITLE = wording.ENTITY_TYPES


def build(task: TaskResults) -> list[Part]:
    """Return the table by type; nothing for a task without entities, and a line where a tagging task recorded none."""
    table = entity_table(task.results, task.facts, task.part_name("entities"))
    if table.rows:
        return [wording.ENTITY_TYPES_LEAD, table]
    return [wording.ENTITIES_NOT_RECORDED] if task.facts.baseline is not None and len(task.means) else []
