"""What is not in the comparison, and why; and what strategies warned about."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report import wording
from bench.report.frame import format_seeds
from bench.report.page_parts import Part, Table
from bench.report.task_results import TaskResults
from bench.report.titles import display_name

TITLE = wording.MISSING


def build(task: TaskResults) -> list[Part]:
    """Return one row for each strategy that is not complete, and for each warning."""
    rows = list(_rows(task))
    return [Table(rows, task.part_name("missing"))] if rows else [wording.NOTHING_MISSING]


def _rows(task: TaskResults) -> Iterator[dict[str, str]]:
    for outcome in task.results.outcomes_of(task.facts):
        strategy = display_name(outcome.planned.strategy)
        if outcome.status != "complete":
            yield {
                "strategy": strategy,
                "what": "skipped" if outcome.planned.skipped is not None else outcome.status,
                "seeds finished": outcome.seeds_finished,
                "why": outcome.reason,
            }
        for warning, warned_seeds in outcome.warnings.items():
            is_every_seed = len(warned_seeds) == len(outcome.planned.runs)
            where = "every seed" if is_every_seed else format_seeds(warned_seeds)
            yield {
                "strategy": strategy,
                "what": "warning",
                "seeds finished": outcome.seeds_finished,
                "why": f"{warning} ({where})",
            }
