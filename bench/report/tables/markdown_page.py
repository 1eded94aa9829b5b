"""What the files of tables have in common: how a Markdown page is laid out, and the first and last columns of a CSV file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report import wording
from bench.report.frame import StrategyOutcome, StudyResults, format_seeds
from bench.report.text_table import Table, table_as_markdown
from bench.text.lines import one_line
from bench.text.markdown import escape_markdown

COUNTS = ["seeds_finished", "seeds_planned"]

Block = str | Table
"""A paragraph in Markdown, or a table."""


def render_page(title: str, results: StudyResults, lead: Iterable[str], tasks: Iterable[Iterable[Block]]) -> str:
    """Return a Markdown page: title, notes of the study, lead, and a section for each task of the study.

    `tasks` holds the blocks of each section; empty ones are left out.
    """
    study = results.study
    notes = "\n>\n".join(f"> **Note:** {escape_markdown(note)}" for note in study.notes)
    sections = [
        _join_blocks([f"## {escape_markdown(facts.task)}", *blocks])
        for facts, blocks in zip(study.tasks, tasks, strict=True)
    ]
    head = [f"# {title}: suite {escape_markdown(study.suite)}", notes, *lead]
    return _join_blocks([*head, *(sections or ["The study has no tasks."])]) + "\n"


def _join_blocks(blocks: Iterable[Block]) -> str:
    texts = (table_as_markdown(block) if isinstance(block, Table) else block for block in blocks)
    return "\n\n".join(text for text in texts if text)


def describe_absent(results: StudyResults, facts: TaskFacts) -> str:
    """Return which classes have no label in test, and what that means for means over classes; empty if there are none."""
    absent = [
        f"{name} ({format_seeds(seeds)})" if seeds else name for name, seeds in results.absent_from_test(facts).items()
    ]
    return wording.ABSENT_FROM_TEST.format(classes=", ".join(absent)) if absent else ""


def identity_columns(outcome: StrategyOutcome) -> dict[str, Any]:
    """Return the first columns of a CSV line: which strategy it is about, and how much of it is finished."""
    return {
        "task": outcome.planned.task,
        "strategy": outcome.strategy,
        "status": csv_status(outcome),
        "seeds_finished": len(outcome.records),
        "seeds_planned": len(outcome.planned.runs),
    }


def csv_status(outcome: StrategyOutcome) -> str:
    """Return the status as CSV files have always written it."""
    return "declined" if outcome.status == "skipped" else outcome.status


def csv_frame(
    results: StudyResults, lines: Iterable[dict[str, Any]], columns: list[str], whole: list[str]
) -> pd.DataFrame:
    """Return CSV lines in these columns, with the notes of study and task in the last one; `whole` columns are integers."""
    notes = {facts.task: _notes(results, facts) for facts in results.study.tasks}
    with_notes = [{**line, "notes": notes[line["task"]]} for line in lines]
    return pd.DataFrame(with_notes, columns=[*columns, "notes"]).astype(dict.fromkeys(whole, "Int64"))


def _notes(results: StudyResults, facts: TaskFacts) -> str:
    return "; ".join(one_line(note) for note in (*results.study.notes, *facts.notes))
