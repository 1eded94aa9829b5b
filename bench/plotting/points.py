"""Points of a figure that all look different, with their names in a column to the right of the axes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes

from bench.plotting.limits import spread_out
from bench.plotting.style import COLOURS, GREY, INK


def name_points(
    axes: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str], sizes: Sequence[float]
) -> None:
    """Write the points' names to the right of the axes, each next to its marker and joined to its point by a thin line.

    `sizes` are the heights of the names as shares of the height of the axes; names are moved so that none overlap.
    """
    low, high = axes.get_ylim()
    heights = spread_out([(value - low) / (high - low) for value in y], sizes, 1.0)
    line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0, "patchA": None}
    for name, point, height, style in zip(
        names, zip(x, y, strict=True), heights, point_styles(len(names)), strict=True
    ):
        axes.annotate("", point, xytext=(1.045, height), textcoords="axes fraction", arrowprops=line, zorder=1)
        axes.text(1.07, height, name, transform=axes.transAxes, va="center")
        axes.plot(1.045, height, transform=axes.transAxes, clip_on=False, **style)


def point_styles(count: int) -> list[dict[str, Any]]:
    """Return arguments of `Axes.plot` for up to 35 points that differ in colour or marker (5 colours, 7 markers)."""
    colours = [COLOURS["blue"], COLOURS["vermilion"], INK, COLOURS["green"], COLOURS["purple"]]
    return [
        {
            "color": colour,
            "marker": marker,
            "markersize": 8,
            "markeredgecolor": "white",
            "markeredgewidth": 0.6,
            "linestyle": "none",
        }
        for colour, marker, _ in zip(cycle(colours), cycle("osD^vPX"), range(count), strict=False)
    ]


looks = point_styles  # the old name, until the last caller uses the new one
