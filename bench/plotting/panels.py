"""Small multiples: panels of equal size that share their axes."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def row_count(panels: int, across: int) -> int:
    """Return how many rows hold this many panels.

    >>> row_count(7, across=3)
    3
    """
    return math.ceil(panels / across)


def add_panels(figure: Figure, count: int, *, across: int, xlabel: str, ylabel: str) -> list[Axes]:
    """Return `count` new axes, row by row, `across` in a row, that share both axes.

    The lowest panel of each column has the label and the tick labels of the horizontal axis, the first panel of each row
    those of the vertical one. Set limits and ticks on the first panel, before anything is plotted.
    """
    grid = figure.subplots(row_count(count, across), across, sharex=True, sharey=True, squeeze=False).ravel()
    panels = list(grid[:count])
    for unused in grid[count:]:
        unused.set_axis_off()
    for panel in panels[-across:]:
        panel.tick_params(labelbottom=True)  # also where the row below is not full
        panel.set_xlabel(xlabel)
    for panel in panels[::across]:
        panel.set_ylabel(ylabel)
    return panels
