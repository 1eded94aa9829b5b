"""The figures: each as PNG for pages and as SVG for print, four a task."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from bench.report.figures import curves, macro_f1, recall, throughput
from bench.report.figures.canvas import STYLE, save
from bench.report.frame import Results
from bench.report.text import file_stem

FIGURES = {"macro_f1": macro_f1, "recall": recall, "throughput": throughput, "curves": curves}


def write_figures(results: Results, folder: Path) -> list[Path]:
    """Write every figure of every task; one without data says why in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        return [
            path
            for facts in results.study.tasks
            for name, module in FIGURES.items()
            for path in save(module.figure(results, facts), folder / f"{name}-{file_stem(facts.task)}")
        ]
