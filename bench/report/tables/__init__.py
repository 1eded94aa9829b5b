"""The tables: each as Markdown for people and as CSV for programs."""

from __future__ import annotations

from pathlib import Path

from bench.report.frame import Results
from bench.report.tables import cost, drawn, quality, recall

TABLES = {"quality": quality, "recall": recall, "cost": cost, "drawn": drawn}


def write_tables(results: Results, folder: Path) -> list[Path]:
    """Write every table as `.md` and `.csv`; equal results give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, module in TABLES.items():
        csv = module.frame(results).to_csv(index=False, float_format="%.6f", lineterminator="\n")
        for suffix, text in (("md", module.page(results)), ("csv", csv)):
            paths.append(folder / f"{name}.{suffix}")
            paths[-1].write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return paths
