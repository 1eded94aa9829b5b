"""The steps in which the phases of a strategy begin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from strategies import Phase, Strategy


def too_short(strategy: Strategy, steps: int) -> str | None:
    """Why a training of so many steps has none for one of a strategy's phases; None if all have one.

    >>> from strategies import parse
    >>> too_short(parse("deferred-reweighting(start=0.99)"), steps=40)
    'phase 2 of its 2 has none of the 40 steps; train longer, or let it begin at another share of them'
    """
    phases = strategy.phases()
    for number, (first, after) in enumerate(pairwise((*first_steps(phases, steps), steps + 1)), 1):
        if first >= after:
            return (
                f"phase {number} of its {len(phases)} has none of the {steps:,} steps; train longer, or let it begin at "
                "another share of them"
            )
    return None


def first_steps(phases: Sequence[Phase], steps: int) -> tuple[int, ...]:
    """The first step of each phase; a phase is as long as its share of the steps, rounded."""
    return (1, *(round(phase.until * steps) + 1 for phase in phases[:-1]))
