"""The report: tables, figures and a page that follow from records alone. Nothing here trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.metrics.selection_metric import SelectionMetric
from bench.records.record import Cost, Failure, Record, Study
from bench.report.figures import draw_figures, write_figures
from bench.report.frame import results
from bench.report.page import write_page
from bench.report.page.judged import PredictedOf
from bench.report.tables import write_tables

__all__ = ["write_report"]


def nothing_kept(id: str) -> None:
    """No predictions."""


def write_report(
    study: Study,
    records: Iterable[Record],
    failures: Iterable[Failure],
    costs: Iterable[Cost],
    out: Path,
    predicted: PredictedOf = nothing_kept,
    metrics: Mapping[str, SelectionMetric] | None = None,
) -> list[Path]:
    """Write `out/tables/`, `out/figures/`, `out/report.md` and `out/report.html`; the paths, in reading order.

    Only trainings that the study plans are shown, and only strategies whose every planned seed finished are averaged.
    Equal arguments give equal tables, byte for byte, in whatever order records come.
    `metrics` is the selection metric of each task; None: the study's own.
    """
    found = results(study, records, failures, costs, metrics)
    drawn = draw_figures(found)
    return [
        *write_tables(found, out / "tables"),
        *write_figures(drawn, out / "figures"),
        *write_page(found, drawn, predicted, out),
    ]
