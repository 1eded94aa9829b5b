"""Points of a figure that no two strategies share, and their names in a column beside the axes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes

from bench.plotting.style import COLOURS, GREY, INK, spread


def name_points(
    axes: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str], sizes: Sequence[float]
) -> None:
    """Names at the right, spread so that none overlap, each with a thin line to its point; `sizes` are shares of the height."""
    low, high = axes.get_ylim()
    places = spread([(each - low) / (high - low) for each in y], sizes, 1.0)
    line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0, "patchA": None}
    for name, across, up, place, look in zip(names, x, y, places, looks(len(names)), strict=True):
        axes.annotate("", (across, up), xytext=(1.045, place), textcoords="axes fraction", arrowprops=line, zorder=1)
        axes.text(1.07, place, name, transform=axes.transAxes, va="center")
        axes.plot(1.045, place, transform=axes.transAxes, clip_on=False, **look)


def looks(count: int) -> list[dict[str, Any]]:
    """Colours and markers that no two of 35 points share; 7 differ by their markers alone, 5 by their colours."""
    colours = [COLOURS["blue"], COLOURS["vermilion"], INK, COLOURS["green"], COLOURS["purple"]]
    marks = zip(cycle(colours), cycle("osD^vPX"), range(count), strict=False)
    return [
        {
            "color": colour,
            "marker": marker,
            "markersize": 8,
            "markeredgecolor": "white",
            "markeredgewidth": 0.6,
            "linestyle": "none",
        }
        for colour, marker, _ in marks
    ]
