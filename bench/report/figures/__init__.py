"""The figures, four per task: each is plotted once and written as PNG for pages and as SVG for print."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from bench.plotting.style import STYLE, save_figure
from bench.report.figures import recall_heatmap, sampling_throughput, seed_scores, validation_curves
from bench.report.frame import StudyResults
from bench.text.file_names import file_stem

FIGURES = {
    "macro_f1": seed_scores,
    "recall": recall_heatmap,
    "throughput": sampling_throughput,
    "curves": validation_curves,
}
"""The module of each figure, by the first part of its file names."""

Figures = dict[tuple[str, str], Figure]
"""Figures by task and name."""


def draw_figures(results: StudyResults) -> Figures:
    """Return every figure of every task; one without data says why."""
    with matplotlib.rc_context(STYLE):
        return {
            (facts.task, name): module.draw_figure(results, facts)
            for facts in results.study.tasks
            for name, module in FIGURES.items()
        }


def write_figures(figures: Figures, folder: Path) -> list[Path]:
    """Write every figure as PNG and SVG and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context(STYLE):
        for (task, name), figure in figures.items():
            paths += save_figure(figure, folder / figure_stem(name, task))
    return paths


def figure_stem(name: str, task: str) -> str:
    """Return the name of a figure's files without their extension."""
    return f"{name}-{file_stem(task)}"
