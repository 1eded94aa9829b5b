"""Where axes begin and end, and where labels are placed along them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

PADDING = 0.05
"""Room at either end of an axis, as a share of what it shows."""


def padded_limits(low: float, high: float, padding: float = PADDING, least: float = 0.002) -> tuple[float, float]:
    """Return the limits of an axis of scores from `low` to `high`, with room at both ends.

    >>> padded_limits(0.0, 1.0)
    (-0.05, 1.05)
    """
    pad = max(padding * (high - low), least)
    return low - pad, high + pad


def score_floor(scores: Iterable[float]) -> float:
    """Return the lowest score that an axis must show.

    Scores below a gap are left out if the gap is at least 0.2 and at least twice as wide as the range above it: they would
    squeeze all others together.

    >>> score_floor([0.21, 0.72, 0.74, 0.79]), score_floor([0.67, 0.72, 0.74, 0.79])
    (0.72, 0.67)
    """
    ordered = sorted(scores)
    for below, above in pairwise(ordered):
        gap, range_above = above - below, ordered[-1] - above
        if gap >= max(0.2, 2 * range_above) and range_above > 0:
            return above
    return ordered[0]


def distance_limit(distances: Iterable[float]) -> float:
    """Return the largest distance that an axis must show.

    At most a quarter of the distances are left out, and only if the nearest of them is more than twice as large as the rest.

    >>> distance_limit([0.01, 0.03, 0.07, 0.59]), distance_limit([0.01, 0.03, 0.59])
    (0.07, 0.59)
    """
    ordered = sorted(distances)
    always_shown = math.ceil(0.75 * len(ordered))
    for near, far in pairwise(ordered[always_shown - 1 :]):
        if far > 2 * near > 0:
            return near
    return ordered[-1]


def spread_out(wanted: Sequence[float], sizes: Sequence[float], high: float) -> list[float]:
    """Return centres near the wanted ones for things of these sizes, between 0 and `high`, so that none overlap.

    >>> spread_out([0.5, 0.0, 0.5], [0.2, 0.2, 0.4], 1.0)
    [0.5, 0.1, 0.8]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    centres = [0.0] * len(wanted)
    edge = 0.0  # upwards first: each thing begins where the one below it ends, or higher
    for i in order:
        centres[i] = max(wanted[i], edge + sizes[i] / 2)
        edge = centres[i] + sizes[i] / 2
    edge = high  # then downwards, so that none sticks out at the top
    for i in reversed(order):
        centres[i] = min(centres[i], edge - sizes[i] / 2)
        edge = centres[i] - sizes[i] / 2
    return centres
