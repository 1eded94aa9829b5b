"""The cost table: what each strategy costs, measured alone and apart from the runs of the study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import StudyResults
from bench.report.tables.markdown_page import Block, csv_frame, csv_status, render_page
from bench.report.text_table import Table
from bench.report.titles import COST_MEANINGS, COSTS, EXTRA_COST, NOT_MEASURED, STRATEGY, display_name
from bench.text.markdown import escape_markdown, markdown_list
from bench.text.numbers import MISSING, format_amount, format_fields, format_number

TITLE = "Cost"
_LEAD = (
    "Each strategy is measured alone, on one thread, in rounds that alternate with rounds of the baseline. Times differ from "
    "machine to machine and from one measurement to the next."
)


def csv_table(results: StudyResults) -> pd.DataFrame:
    """Return a line per strategy in the study's order; its status says whether it was measured."""
    return csv_frame(results, _csv_lines(results), ["task", "strategy", "status", *COSTS, "adds"], [])


def _csv_lines(results: StudyResults) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        costs = results.costs_of(facts)
        for outcome in results.outcomes_of(facts):
            status = NOT_MEASURED
            if outcome.strategy in costs:
                status = "measured"
            elif outcome.status == "skipped":
                status = csv_status(outcome)
            yield {
                **{"task": facts.task, "strategy": outcome.strategy, "status": status},
                **costs.get(outcome.strategy, {}),
                "adds": outcome.planned.extra_cost,
            }


def cost_table(
    results: StudyResults, facts: TaskFacts, name: str = "cost", columns: Sequence[str] = tuple(COSTS)
) -> Table:
    """Return a row per strategy that is not skipped, in the study's order; no row if nothing was measured.

    `columns` are keys of `COSTS`; the extra cost that a strategy declares is always the last column.
    """
    costs = results.costs_of(facts)
    outcomes = [outcome for outcome in results.outcomes_of(facts) if outcome.status != "skipped"]
    if not any(outcome.strategy in costs for outcome in outcomes):
        return Table([], name)
    rows = [
        {
            STRATEGY: display_name(outcome.strategy),
            **cost_cells(costs.get(outcome.strategy), columns),
            EXTRA_COST: outcome.planned.extra_cost or MISSING,
        }
        for outcome in outcomes
    ]
    return Table(rows, name)


def cost_cells(costs: dict[str, float] | None, columns: Sequence[str] = tuple(COSTS)) -> dict[str, str]:
    """Return the measured costs of one strategy as text by title; None was not measured."""
    if costs is None:
        return {COSTS[column]: NOT_MEASURED for column in columns}
    return {COSTS[column]: _format_cost(column, costs[column]) for column in columns}


def _format_cost(column: str, value: float) -> str:
    return format_number(value, ".2f") if column.endswith("step_ratio") else format_amount(value)


def markdown_page(results: StudyResults) -> str:
    """Return the page with a table for each task."""
    environment = results.study.environment
    machine = f"Machine: {escape_markdown(format_fields(environment))}." if environment else ""
    meanings = markdown_list(f"{title}: {meaning}" for title, meaning in COST_MEANINGS.items())
    return render_page(
        TITLE, results, [_LEAD, machine, meanings], (blocks(results, facts) for facts in results.study.tasks)
    )


def blocks(results: StudyResults, facts: TaskFacts) -> Iterator[Block]:
    """Yield the paragraphs and tables of one task."""
    table = cost_table(results, facts)
    yield table if table.rows else f"{NOT_MEASURED.capitalize()}."
