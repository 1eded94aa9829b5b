"""The page: `report.html`, one file that opens without a network, and its text and tables as `report.md`."""

from __future__ import annotations

from pathlib import Path

from bench.report.figures import Drawn
from bench.report.frame import Results
from bench.report.page import as_html, as_markdown
from bench.report.page.content import content
from bench.report.page.judged import PredictedOf


def write_page(results: Results, drawn: Drawn, predicted: PredictedOf, folder: Path) -> list[Path]:
    """Write `report.md` and `report.html`; equal results give equal bytes."""
    page = content(results, drawn, predicted)
    paths = []
    for name, text in {"report.md": as_markdown.text(page), "report.html": as_html.text(page)}.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return paths
