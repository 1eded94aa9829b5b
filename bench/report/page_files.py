"""Writes the page: `report.html`, one file that opens without a network, and its text and tables as `report.md`."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from bench.plotting.style import STYLE, save_figure
from bench.report.figures import Figures
from bench.report.frame import StudyResults
from bench.report.html.page_html import render_html
from bench.report.page_content import build_page
from bench.report.page_markdown import render_markdown
from bench.report.sections.overview import OVERVIEW_FILE


def write_page(results: StudyResults, figures: Figures, folder: Path) -> list[Path]:
    """Write the figure of the first screen, `report.md` and `report.html`, and return the paths; equal results, equal bytes."""
    page = build_page(results, figures)
    paths = []
    for name, text in {"report.md": render_markdown(page), "report.html": render_html(page)}.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        paths.append(path)
    if page.overview is not None:
        png = folder / OVERVIEW_FILE
        png.parent.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(STYLE):
            paths = [*save_figure(page.overview.poster, png.with_suffix("")), *paths]
    return paths
