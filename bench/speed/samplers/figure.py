"""Nanoseconds a draw against the number of items, beside the floor of the machine."""

from __future__ import annotations

from itertools import cycle
from math import log10
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator

from bench.plotting.labels import drawable, fit_lines
from bench.plotting.limits import spread_out
from bench.plotting.style import COLOURS, GREY, INK, STYLE, WIDTH, save_figure
from bench.speed.samplers.result import Result, Row
from bench.text.numbers import format_fields

COLOUR = {
    "sampler": COLOURS["blue"],
    "plain torch": COLOURS["green"],
    "strategy": COLOURS["orange"],
    "peer": COLOURS["vermilion"],
    "floor": INK,
}
MEANING = {
    "sampler": "samplers of this project",
    "plain torch": "the same in plain torch",
    "strategy": "strategies that sample",
    "peer": "others",
    "floor": "floor of the machine",
}
INCHES = 0.21
"""Of height that a name takes."""


def write_figure(result: Result, stem: Path) -> list[Path]:
    """PNG and SVG; both paths."""
    with matplotlib.rc_context(STYLE):
        return save_figure(_figure(result), stem)


def _figure(result: Result) -> Figure:
    lines = _lines(result)
    height = max(4.0, INCHES * len(lines) + 0.8)
    said = f"Whole epochs, one thread. {format_fields(result.machine)}."
    head = fit_lines(said, WIDTH - 1.2, 9)  # the axes' title begins where the axes do
    page = Figure(figsize=(WIDTH, height + 0.5 + 0.18 * len(head)), layout="constrained")
    page.suptitle("Nanoseconds a draw", x=0.01, ha="left", weight="bold", size=12)
    axes = page.add_subplot()
    axes.set_title("\n".join(head), loc="left", size=9)
    looks = {
        name: _look(rows[0].kind, marker) for (name, rows), marker in zip(lines.items(), cycle("osD^vPX"), strict=False)
    }
    for name, rows in lines.items():
        axes.plot([row.items for row in rows], [row.draw_ns or 0 for row in rows], **looks[name])
        if rows[0].kind == "floor" and len(rows) == 1:
            axes.axhline(rows[0].draw_ns or 0, color=COLOUR["floor"], linestyle="--", linewidth=1.3)
    _scales(axes, sorted({row.items for row in result.rows}))
    _names(axes, lines, looks, [INCHES / height] * len(lines))
    kinds = list(dict.fromkeys(rows[0].kind for rows in lines.values()))
    handles = [Line2D([], [], color=COLOUR[kind], label=MEANING[kind]) for kind in kinds]
    axes.legend(handles=handles, frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, -0.1))
    return page


def _lines(result: Result) -> dict[str, list[Row]]:
    """The measured rows of each variant, by size, those that end lowest first."""
    lines: dict[str, list[Row]] = {}
    for row in sorted(result.rows, key=lambda row: row.items):
        if row.draw_ns is not None:
            lines.setdefault(row.variant, []).append(row)
    return lines


def _look(kind: str, marker: str) -> dict[str, Any]:
    style = "--" if kind == "floor" else "-"
    return {"color": COLOUR[kind], "marker": marker, "markersize": 5, "linestyle": style, "linewidth": 1.3}


def _scales(axes: Axes, sizes: list[int]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="items (log scale)", ylabel="nanoseconds a draw (log scale)")
    axes.set_xlim(sizes[0] / 1.5, sizes[-1] * 1.5)
    axes.set_xticks(sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.grid()


def _names(axes: Axes, lines: dict[str, list[Row]], looks: dict[str, dict[str, Any]], sizes: list[float]) -> None:
    """Names in a column at the right, spread so that none overlap, each with a thin line to its last point."""
    low, high = map(log10, axes.get_ylim())
    ends = [(rows[-1].items, rows[-1].draw_ns or 1.0) for rows in lines.values()]
    places = spread_out([(log10(y) - low) / (high - low) for _, y in ends], sizes, 1.0)
    line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 4}
    for name, end, place in zip(lines, ends, places, strict=True):
        axes.annotate(
            drawable(name),
            end,
            xytext=(1.06, place),
            textcoords="axes fraction",
            va="center",
            color=looks[name]["color"],
            arrowprops=line,
        )
