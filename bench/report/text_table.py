"""A table of text: each fact of the report is built as one, then written as Markdown or as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.text.markdown import escape_markdown, markdown_table


@dataclass(frozen=True)
class Table:
    """Rows of text by column title, all with the same columns.

    `name` is unique in the page, where it is the table's id and the name of its download.
    """

    rows: Sequence[Mapping[str, str]]
    name: str


def table_as_markdown(table: Table) -> str:
    """Return the table as Markdown, its text escaped; an empty text if it has no rows."""
    if not table.rows:
        return ""
    header = [escape_markdown(title) for title in table.rows[0]]
    return markdown_table(header, [[escape_markdown(cell) for cell in row.values()] for row in table.rows])
