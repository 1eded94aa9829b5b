"""The report of a study: tables, figures and a page, computed from records alone. Nothing here trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.metrics.selection_metric import SelectionMetric
from bench.records.predictions import PredictionsOf, no_predictions
from bench.records.record import Cost, Failure, Record, Study
from bench.report.figures import draw_figures, write_figures
from bench.report.frame import collect_results
from bench.report.page_files import write_page
from bench.report.tables import write_tables

__all__ = ["no_predictions", "write_report"]


def write_report(
    study: Study,
    records: Iterable[Record],
    failures: Iterable[Failure],
    costs: Iterable[Cost],
    out: Path,
    predicted: PredictionsOf = no_predictions,
    metrics: Mapping[str, SelectionMetric] | None = None,
) -> list[Path]:
    """Write `out/tables/`, `out/figures/`, `out/report.md` and `out/report.html`, and return all paths in reading order.

    Only runs that the study plans are shown, and only strategies of which every planned seed has finished are averaged.
    `predicted` returns the test predictions of a run by its id, or None if they are not kept. Equal arguments give equal
    tables, byte for byte, in whatever order the records come.
    `metrics` is the selection metric of each task; None: the study's own.
    """
    results = collect_results(study, records, failures, costs, metrics, predicted)
    figures = draw_figures(results)
    return [
        *write_tables(results, out / "tables"),
        *write_figures(figures, out / "figures"),
        *write_page(results, figures, out),
    ]
