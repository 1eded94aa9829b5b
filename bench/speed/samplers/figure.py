"""The figure of samplers: nanoseconds per draw against the number of items."""

from __future__ import annotations

from itertools import cycle
from math import log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator

from bench.plotting.limits import spread_out
from bench.plotting.style import COLOURS, GREY, INK, titled_figure
from bench.plotting.text_labels import drawable
from bench.speed.samplers.sampler_measurement import SamplerMeasurement, SamplerTiming
from bench.speed.timing_table import describe_machine

TITLE = "Nanoseconds per draw"
KIND_COLOURS = {
    "floor": INK,
    "sampler": COLOURS["blue"],
    "plain torch": COLOURS["green"],
    "strategy": COLOURS["orange"],
    "peer": COLOURS["vermilion"],
}
KIND_LABELS = {
    "floor": "lower bound: one random number and one random read",
    "sampler": "samplers of this project",
    "plain torch": "the same samplers in plain torch",
    "strategy": "strategies that sample",
    "peer": "samplers of other packages",
}
LABEL_HEIGHT = 0.21
"""Inches of height per variant's name."""

Curves = dict[str, list[SamplerTiming]]
"""The measured rows of each variant, by number of items; one of each variant at least."""


def draw_figure(measurement: SamplerMeasurement) -> Figure:
    """Draw one curve per variant, each named at the right."""
    curves = _group_by_variant(measurement)
    height = max(4.0, LABEL_HEIGHT * len(curves) + 0.8)
    note = f"Lower is better. Whole epochs, one thread. {describe_machine(measurement.machine)}."
    figure = titled_figure(TITLE, [note], height + 0.5)
    axes = figure.add_subplot()
    markers = cycle("osD^vPX")
    looks = {name: _curve_look(rows[0].kind, next(markers)) for name, rows in curves.items()}
    for name, rows in curves.items():
        axes.plot([row.items for row in rows], [row.draw_ns or 0 for row in rows], **looks[name])
        if rows[0].kind == "floor" and len(rows) == 1:  # one size: the bound crosses the whole panel to be seen
            axes.axhline(rows[0].draw_ns or 0, color=KIND_COLOURS["floor"], linestyle="--", linewidth=1.3)
    _set_scales(axes, sorted({row.items for row in measurement.rows}))
    _label_curves(axes, curves, looks, LABEL_HEIGHT / height)
    shown_kinds = {rows[0].kind for rows in curves.values()}
    handles = [
        Line2D([], [], color=KIND_COLOURS[kind], linestyle="--" if kind == "floor" else "-", label=label)
        for kind, label in KIND_LABELS.items()
        if kind in shown_kinds
    ]
    axes.legend(handles=handles, frameon=False, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.1))
    return figure


def _group_by_variant(measurement: SamplerMeasurement) -> Curves:
    curves: Curves = {}
    for row in sorted(measurement.rows, key=lambda row: row.items):
        if row.draw_ns is not None:
            curves.setdefault(row.label, []).append(row)
    return curves


def _curve_look(kind: str, marker: str) -> dict[str, Any]:
    return {
        "color": KIND_COLOURS[kind],
        "marker": marker,
        "markersize": 5,
        "linestyle": "--" if kind == "floor" else "-",
        "linewidth": 1.3,
    }


def _set_scales(axes: Axes, sizes: list[int]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="items (log scale)", ylabel="nanoseconds per draw (log scale)")
    axes.set_xlim(sizes[0] / 1.5, sizes[-1] * 1.5)
    axes.set_xticks(sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.grid()


def _label_curves(axes: Axes, curves: Curves, looks: dict[str, dict[str, Any]], label_height: float) -> None:
    """Write the variants' names in a column at the right, spread so that none overlap, each with a line to its last point.

    `label_height` is the share of the panel's height that a name takes.
    """
    low, high = map(log10, axes.get_ylim())
    last_points = [(rows[-1].items, rows[-1].draw_ns or 1.0) for rows in curves.values()]
    wanted_heights = [(log10(ns) - low) / (high - low) for _, ns in last_points]
    heights = spread_out(wanted_heights, [label_height] * len(curves), 1.0)
    line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 4}
    for name, point, height in zip(curves, last_points, heights, strict=True):
        axes.annotate(
            drawable(name),
            point,
            xytext=(1.06, height),
            textcoords="axes fraction",
            va="center",
            color=looks[name]["color"],
            arrowprops=line,
        )
