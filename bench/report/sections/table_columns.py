"""What was done to each column of a user's table."""

from __future__ import annotations

from bench.records.record import TaskFacts
from bench.report import choice_wording
from bench.report.page_parts import Part, Table

TITLE = choice_wording.COLUMNS


def build(facts: TaskFacts) -> list[Part]:
    """Return a row for each column of the table, in its order; nothing for tasks that are no tables."""
    if not facts.columns:
        return []
    titles = choice_wording.COLUMN_TITLES
    rows = [dict(zip(titles, column, strict=True)) for column in facts.columns]
    return [choice_wording.COLUMNS_LEAD, Table(rows, "columns")]
