"""The figure of training: milliseconds per step and run against the width of a stack, one panel per model."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bench.plotting.style import COLOURS, GREY, titled_figure
from bench.speed.timing_table import describe_machine
from bench.speed.training.table import list_models
from bench.speed.training.training_measurement import TrainingMeasurement, TrainingTiming, fastest_well_written

TITLE = "Milliseconds per step and run"
HEIGHT = 3.9  # inches of a panel with its legend


def draw_figure(measurement: TrainingMeasurement) -> Figure:
    """Draw a panel per model: the stacks as a curve, the loops by hand as horizontal lines."""
    models = list_models(measurement)
    notes = [f"Lower is better. One thread. {describe_machine(measurement.machine)}.", *measurement.notes]
    figure = titled_figure(TITLE, notes, HEIGHT)
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for axes, model in zip(panels, models, strict=True):
        _draw_panel(axes, model, [row for row in measurement.rows if row.model == model])
    handles = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    panels[0].set_ylabel("milliseconds (log scale)")
    figure.legend(handles.values(), handles.keys(), frameon=False, ncols=3, loc="outside lower left")
    return figure


def _draw_panel(axes: Axes, model: str, rows: list[TrainingTiming]) -> None:
    stacks = [row for row in rows if row.kind == "stack"]
    naive_loops = [row for row in rows if row.kind == "naive"]
    for row, style in zip(naive_loops, ("--", ":"), strict=False):
        axes.axhline(
            row.step_ms, color=GREY, linestyle=style, linewidth=1.3, label=row.variant.replace("naive", "naive loop")
        )
    well_written = fastest_well_written(rows, model)
    axes.axhline(well_written.step_ms, color=COLOURS["green"], linestyle="--", label="fastest well-written loop")
    widths = [row.width for row in stacks]
    axes.plot(widths, [row.step_ms for row in stacks], color=COLOURS["blue"], marker="o", label="stack")
    for row in rows:
        if row.kind == "mixed":
            axes.plot(row.width, row.step_ms, "D", color=COLOURS["orange"], label="stack of 5 strategies")
    axes.set_title(model, loc="left", weight="bold")
    axes.set(xscale="log", yscale="log", xlabel="runs in a stack (log scale)")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.grid()
