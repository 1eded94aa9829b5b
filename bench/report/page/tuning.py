"""What each strategy was tuned over, how the settings did on validation, and which was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from bench.records.record import PlannedConfiguration, PlannedStrategy
from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.text.numbers import MISSING, plain

TITLE = "Settings tried"
_EQUAL = (
    "As many settings for every strategy, the plain one too; chosen by the mean over seeds on validation, test has no say. "
    "Strategies with settings of their own keep the protocol's learning rate; the others are tuned over learning rates. At the "
    "edge: the lowest or the highest value of the grid, so a better one may lie beyond."
)


def parts(judged: Judged) -> list[Part]:
    """A line a setting; nothing where no strategy was tuned."""
    rows = list(_rows(judged))
    return [_EQUAL, Table(rows, judged.name("tuning"))] if rows else []


def is_tuned(row: PlannedStrategy) -> bool:
    """Whether validation has chosen one of its settings."""
    return any(_is_chosen(row, each) for each in row.configurations)


def at_edge(row: PlannedStrategy) -> bool:
    """Whether the chosen setting has the lowest or the highest value of its grid: a better one may lie beyond."""
    return any(each.at_edge and _is_chosen(row, each) for each in row.configurations)


def _rows(judged: Judged) -> Iterator[dict[str, str]]:
    for strategy, outcome in judged.outcomes.items():
        row = outcome.row
        for each in row.configurations:
            chosen = "no" if not _is_chosen(row, each) else "yes, at the edge" if at_edge(row) else "yes"
            yield {
                "strategy": strategy,
                "setting": each.label,
                f"{judged.metric.name} on validation": MISSING if each.score is None else plain(each.score, ".4f"),
                "chosen": chosen,
            }


def _is_chosen(row: PlannedStrategy, candidate: PlannedConfiguration) -> bool:
    """Nothing is chosen while a setting has no score."""
    chosen = row.with_configuration(candidate)
    return candidate.score is not None and (chosen.runs, chosen.adjustment) == (row.runs, row.adjustment)
