"""The tables of a study, each as Markdown for people and as CSV for programs, and the numbers of every run as CSV."""

from __future__ import annotations

from pathlib import Path

from bench.report.frame import StudyResults
from bench.report.tables import class_mix_table, cost_table, entity_table, per_seed_table, quality_table, recall_table
from bench.report.tables.latex_page import latex_page

TABLES = {
    "quality": quality_table,
    "recall": recall_table,
    "entities": entity_table,
    "cost": cost_table,
    "class_mix": class_mix_table,
}
"""The module of each table, by the name of its files."""

_OLD_NAMES = ("drawn",)
"""Names of files in older results directories, which are removed there so that nobody reads an outdated table."""


def write_latex_tables(results: StudyResults, folder: Path) -> list[Path]:
    """Write every table as `.tex`, to be read into a LaTeX document with `\\input`, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, module in TABLES.items():
        tasks = [(facts, module.blocks(results, facts)) for facts in results.study.tasks]
        path = folder / f"{name}.tex"
        text = latex_page(module.TITLE, name, tasks)
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        paths.append(path)
    return paths


def write_tables(results: StudyResults, folder: Path) -> list[Path]:
    """Write every table as `.md` and `.csv`, and `per_seed.csv`, and return the paths; equal results give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for old_name in _OLD_NAMES:
        for suffix in ("md", "csv"):
            (folder / f"{old_name}.{suffix}").unlink(missing_ok=True)
    for name, module in TABLES.items():
        csv = module.csv_table(results).to_csv(index=False, float_format="%.6f", lineterminator="\n")
        for suffix, text in (("md", module.markdown_page(results)), ("csv", csv)):
            path = folder / f"{name}.{suffix}"
            path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
            paths.append(path)
    # Ten digits, so that means of these numbers are those of the other tables to the last digit.
    per_seed = per_seed_table.csv_table(results).to_csv(index=False, float_format="%.10g", lineterminator="\n")
    paths.append(folder / "per_seed.csv")
    paths[-1].write_text(per_seed, encoding="utf-8", errors="backslashreplace", newline="\n")
    return paths
