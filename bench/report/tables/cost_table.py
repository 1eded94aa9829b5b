"""The cost table: what a strategy takes, measured alone and apart from the trainings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import Outcome, Results
from bench.report.tables.layout import document, lines_of, section
from bench.report.titles import ADDS, COST_MEANINGS, COSTS, NOT_MEASURED, STRATEGY
from bench.text.numbers import NONE, amount, bullets, markdown, settings, table

_LEAD = (
    "Measured as each strategy alone, rounds interleaved with rounds of none, one thread. "
    "Times differ from machine to machine and from run to run."
)


def frame(results: Results) -> pd.DataFrame:
    """One line a strategy in the study's order; status says whether it was measured."""
    return lines_of(results, _lines(results), ["task", "strategy", "status", *COSTS, "adds"], [])


def page(results: Results) -> str:
    """A section a task, strategies in the study's order."""
    environment = results.study.environment
    machine = [f"Machine: {markdown(settings(environment))}."] if environment else []
    sections = (section(facts, [_table(facts, results)]) for facts in results.study.tasks)
    lead = [_LEAD, *machine, bullets(f"{title}: {meaning}" for title, meaning in COST_MEANINGS.items())]
    return document("Cost", results.study, lead, sections)


def _lines(results: Results) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        costs = results.cost(facts)
        for outcome in results.of(facts):
            strategy = outcome.row.strategy
            status = "measured" if strategy in costs else "declined" if outcome.status == "declined" else NOT_MEASURED
            yield (
                {"task": facts.task, "strategy": strategy, "status": status}
                | costs.get(strategy, {})
                | {"adds": outcome.row.extra_cost}
            )


def _table(facts: TaskFacts, results: Results) -> str:
    costs = results.cost(facts)
    rows = [outcome for outcome in results.of(facts) if outcome.status != "declined"]
    if not any(outcome.row.strategy in costs for outcome in rows):
        return f"{NOT_MEASURED.capitalize()}."
    return table([STRATEGY, *COSTS.values(), ADDS], (_cells(outcome, costs) for outcome in rows))


def _cells(outcome: Outcome, costs: dict[str, dict[str, float]]) -> list[str]:
    found = costs.get(outcome.row.strategy, {})
    cells = [f"{found[name]:.2f}" if name.endswith("step_ratio") else amount(found[name]) for name in found]
    adds = markdown(outcome.row.extra_cost) or NONE
    return [markdown(outcome.row.strategy), *(cells or [NOT_MEASURED] * len(COSTS)), adds]
