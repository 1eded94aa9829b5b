"""The report: tables, figures and a page that follow from records alone. Nothing here trains."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.records.record import Cost, Failure, Record, Study
from bench.report.figures import draw_figures, write_figures
from bench.report.frame import results
from bench.report.sentence_resampling import PredictionsOf
from bench.report.tables import write_tables
from bench.report.write_page import write_page

__all__ = ["write_report"]


def nothing_kept(id: str) -> None:
    """No predictions."""


def write_report(
    study: Study,
    records: Iterable[Record],
    failures: Iterable[Failure],
    costs: Iterable[Cost],
    out: Path,
    predicted: PredictionsOf = nothing_kept,
) -> list[Path]:
    """Write `out/tables/`, `out/figures/`, `out/report.md` and `out/report.html`; the paths, in reading order.

    Only trainings that the study plans are shown, and only strategies whose every planned seed finished are averaged.
    Equal arguments give equal tables, byte for byte, in whatever order records come.
    """
    found = results(study, records, failures, costs)
    drawn = draw_figures(found)
    return [
        *write_tables(found, out / "tables"),
        *write_figures(drawn, out / "figures"),
        *write_page(found, drawn, predicted, out),
    ]
