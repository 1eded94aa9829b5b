"""Writes the page: `report.html`, one file that opens without a network, and its text and tables as `report.md`."""

from __future__ import annotations

from pathlib import Path

from bench.report.figures import Figures
from bench.report.frame import StudyResults
from bench.report.html.page_html import render_html
from bench.report.page_content import build_page
from bench.report.page_markdown import render_markdown
from bench.report.sentence_resampling import PredictionsOf


def write_page(results: StudyResults, figures: Figures, predictions: PredictionsOf, folder: Path) -> list[Path]:
    """Write `report.md` and `report.html` and return their paths; equal results give equal bytes."""
    page = build_page(results, figures, predictions)
    paths = []
    for name, text in {"report.md": render_markdown(page), "report.html": render_html(page)}.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        paths.append(path)
    return paths
