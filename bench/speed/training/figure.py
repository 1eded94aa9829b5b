"""Milliseconds a step and training against the width of a stack, beside loops by hand: a panel a model."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bench.plotting.labels import fit_lines
from bench.plotting.style import COLOURS, GREY, LINE, MARGIN, STYLE, WIDTH, save_figure
from bench.speed.training.result import Result, Row, well_written
from bench.speed.training.table import models
from bench.text.numbers import format_fields

TITLE = "Milliseconds a step and training"
HEIGHT = 3.9  # inches of a panel with its legend


def write_figure(result: Result, stem: Path) -> list[Path]:
    """PNG and SVG; both paths."""
    with matplotlib.rc_context(STYLE):
        return save_figure(_figure(result), stem)


def _figure(result: Result) -> Figure:
    said = [f"Lower is better. One thread. {format_fields(result.machine)}.", *result.notes]
    lines = [line for text in said for line in fit_lines(text, WIDTH - 3 * MARGIN, 9)]
    head = 0.4 + LINE * len(lines)
    page = Figure(figsize=(WIDTH, head + HEIGHT), layout="constrained")
    engine = page.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(rect=(0, 0, 1, HEIGHT / (head + HEIGHT)), w_pad=MARGIN)
    page.text(MARGIN / WIDTH, 1 - 0.1 / (head + HEIGHT), TITLE, size=12, weight="bold", va="top")
    page.text(MARGIN / WIDTH, 1 - 0.36 / (head + HEIGHT), "\n".join(lines), size=9, va="top", linespacing=1.3)
    panels = page.subplots(1, len(models(result)), squeeze=False)[0]
    for axes, model in zip(panels, models(result), strict=True):
        _panel(axes, model, result.rows)
    handles = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    panels[0].set_ylabel("milliseconds (log scale)")
    page.legend(handles.values(), handles.keys(), frameon=False, ncols=3, loc="outside lower left")
    return page


def _panel(axes: Axes, model: str, all_rows: list[Row]) -> None:
    rows = [row for row in all_rows if row.model == model]
    stacks = [row for row in rows if row.kind == "stack"]
    for row, style in zip((each for each in rows if each.kind == "naive"), ("--", ":"), strict=False):
        axes.axhline(row.step_ms, color=GREY, linestyle=style, linewidth=1.3, label=row.variant)
    axes.axhline(
        well_written(rows, model).step_ms, color=COLOURS["green"], linestyle="--", label="well-written, fastest"
    )
    axes.plot([r.width for r in stacks], [r.step_ms for r in stacks], color=COLOURS["blue"], marker="o", label="stack")
    for row in rows:
        if row.kind == "mixed":
            axes.plot(row.width, row.step_ms, "D", color=COLOURS["orange"], label="stack of 5 strategies")
    axes.set_title(model, loc="left", weight="bold")
    axes.set(xscale="log", yscale="log", xlabel="trainings in a stack (log scale)")
    axes.set_xticks([row.width for row in stacks], [str(row.width) for row in stacks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.grid()
