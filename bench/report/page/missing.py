"""What is not in the comparison, and why; and what strategies warned of."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.frame import seeds
from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table

TITLE = "What is missing, and what strategies warned of"


def parts(judged: Judged) -> list[Part]:
    """A line for each row that is not complete, and for each warning."""
    rows = list(_rows(judged))
    return [Table(rows, judged.name("missing"))] if rows else ["Nothing is missing, and no strategy warned."]


def _rows(judged: Judged) -> Iterator[dict[str, str]]:
    for outcome in judged.results.of(judged.facts):
        strategy = outcome.row.strategy
        if outcome.status != "complete":
            yield {
                "strategy": strategy,
                "what": outcome.status,
                "seeds finished": outcome.finished,
                "why": outcome.reason,
            }
        for note, where in outcome.notes.items():
            every = len(where) == len(outcome.row.runs)
            said = f"{note} ({'every seed' if every else seeds(where)})"
            yield {"strategy": strategy, "what": "warning", "seeds finished": outcome.finished, "why": said}
