"""What each strategy was tuned over, how the settings did on validation, and which was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.report.text import MISSING, plain

TITLE = "Settings tried"
_EQUAL = (
    "As many settings for every strategy, the plain one too; chosen by the mean over seeds on validation, test has no say. "
    "Strategies with settings of their own keep the protocol's learning rate; the others are tuned over learning rates."
)


def parts(judged: Judged) -> list[Part]:
    """A line a setting; nothing where no strategy was tuned."""
    rows = list(_rows(judged))
    return [_EQUAL, Table(rows, judged.name("tuning"))] if rows else []


def _rows(judged: Judged) -> Iterator[dict[str, str]]:
    for strategy, outcome in judged.outcomes.items():
        row = outcome.row
        for each in row.candidates:
            yield {
                "strategy": strategy,
                "setting": each.setting,
                f"{judged.objective.name} on validation": MISSING if each.score is None else plain(each.score, ".4f"),
                "chosen": "yes"
                if row.setting and each.trainings == row.trainings and each.adjustment == row.adjustment
                else "no",
            }
