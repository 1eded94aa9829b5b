"""What the averages leave out, and why; and what strategies warned of."""

from __future__ import annotations

from bench.records.record import TaskFacts
from bench.report.frame import StudyResults, format_seeds
from bench.report.text_table import Table
from bench.report.titles import STRATEGY, display_name


def excluded_table(
    results: StudyResults, facts: TaskFacts, name: str = "excluded", *, with_warnings: bool = True
) -> Table:
    """Return a row for each strategy that is not complete, and for each warning; in the study's order."""
    rows = []
    for outcome in results.outcomes_of(facts):
        strategy = display_name(outcome.strategy)
        if outcome.status != "complete":
            rows.append(_row(strategy, outcome.status, outcome.seeds_finished, outcome.reason))
        for warning, seeds in outcome.warnings.items() if with_warnings else ():
            in_every_seed = len(seeds) == len(outcome.planned.runs)
            where = "every seed" if in_every_seed else format_seeds(seeds)
            rows.append(_row(strategy, "warning", outcome.seeds_finished, f"{warning} ({where})"))
    return Table(rows, name)


def _row(strategy: str, status: str, seeds_finished: str, reason: str) -> dict[str, str]:
    return {STRATEGY: strategy, "status": status, "seeds finished": seeds_finished, "reason": reason}
