"""The figures, four a task: drawn once, written as PNG for pages and as SVG for print."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from bench.plotting.style import STYLE, save
from bench.report.figures import curves, macro_f1, recall, throughput
from bench.report.frame import Results
from bench.text.numbers import file_stem

FIGURES = {"macro_f1": macro_f1, "recall": recall, "throughput": throughput, "curves": curves}


Drawn = dict[tuple[str, str], Figure]
"""Figures by task and name."""


def draw_figures(results: Results) -> Drawn:
    """Every figure of every task; one without data says why in its place."""
    with matplotlib.rc_context(STYLE):
        return {
            (facts.task, name): module.figure(results, facts)
            for facts in results.study.tasks
            for name, module in FIGURES.items()
        }


def write_figures(drawn: Drawn, folder: Path) -> list[Path]:
    """Write every figure as PNG and SVG; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        return [
            path for (task, name), figure in drawn.items() for path in save(figure, folder / figure_stem(name, task))
        ]


def figure_stem(name: str, task: str) -> str:
    """The name of a figure's files, without what tells their kind."""
    return f"{name}-{file_stem(task)}"
