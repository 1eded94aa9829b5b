"""The page of a study as text, and its tables as rows."""

from __future__ import annotations

import html
import re
from pathlib import Path

from sklearn.metrics import f1_score

from bench.records.record import Cost, Failure, Record, Study
from bench.report.figures import draw_figures
from bench.report.frame import collect_results
from bench.report.page_files import write_page


def f1_of(confusion: list[list[int]]) -> float:
    """Return macro-F1 as scikit-learn computes it, label by label."""
    pairs = [(t, p) for t, row in enumerate(confusion) for p, count in enumerate(row) for _ in range(count)]
    truth, predicted = zip(*pairs, strict=True)
    return float(f1_score(truth, predicted, average="macro", zero_division=0))


def written(planned: Study, records: list[Record], failures: list[Failure], costs: list[Cost], path: Path) -> str:
    found = collect_results(planned, records, failures, costs)
    *_, page = write_page(found, draw_figures(found), path)
    return page.read_text(encoding="utf-8")


def text_of(page: str) -> str:
    """Return the visible text on one line, without markup, scripts and styles."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())


def rows_of(page: str, name: str) -> list[dict[str, str]]:
    """Return the rows of one table as text, as they are before any script runs."""
    (table,) = re.findall(rf'<div id="table-{re.escape(name)}_fallback">(.*?)</table>', page, re.S)
    header, *rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
    names = [text_of(re.sub(r"<sup>.*?</sup>", "", cell)) for cell in re.findall(r"<th[^>]*>(.*?)</th>", header, re.S)]
    cells = [[text_of(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)] for row in rows]
    return [dict(zip(names, row, strict=True)) for row in cells if len(row) == len(names)]
