"""The training steps at which the phases of a strategy begin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from strategies import Phase, Strategy


def why_too_short(strategy: Strategy, steps: int) -> str | None:
    """Return why one of a strategy's phases would have no step in a run of so many steps; None if each has one.

    >>> from strategies import parse
    >>> why_too_short(parse("deferred-reweighting(start=0.99)"), steps=40)
    'phase 2 of 2 would have none of the 40 steps; raise steps, or let the phase begin at another share of them'
    """
    phases = strategy.phases()
    for number, (first, next_first) in enumerate(pairwise((*first_steps(phases, steps), steps + 1)), 1):
        if first >= next_first:
            return (
                f"phase {number} of {len(phases)} would have none of the {steps:,} steps; raise steps, or let the phase begin "
                "at another share of them"
            )
    return None


def first_steps(phases: Sequence[Phase], steps: int) -> tuple[int, ...]:
    """Return the first step of each phase, counted from 1; a phase lasts its share of the steps, rounded."""
    return (1, *(round(phase.until * steps) + 1 for phase in phases[:-1]))
