"""Which phase each training of a stack is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from strategies import Phase, Strategy


@dataclass(frozen=True)
class Slice:
    """Trainings of one strategy that lie side by side in a stack, and the phases they go through, each from a step on."""

    rows: slice
    phases: tuple[Phase, ...]
    first_steps: tuple[int, ...]

    @property
    def members(self) -> range:
        """The trainings of the stack that belong to it."""
        return range(self.rows.start, self.rows.stop)

    def begins(self, step: int) -> int | None:
        """The number of the phase that begins with this step, None if none does."""
        return self.first_steps.index(step) if step in self.first_steps else None


def slices(strategies: Sequence[Strategy], steps: int) -> list[Slice]:
    """A slice for every run of equal strategies; a phase is as long as its share of the steps, rounded.

    >>> from strategies import get
    >>> slices([get("none"), get("none"), get("ignore-index")], steps=10)[0].rows
    slice(0, 2, None)
    """
    found = []
    for strategy, members in groupby(range(len(strategies)), key=strategies.__getitem__):
        assert (reason := too_short(strategy, steps)) is None, reason
        rows, phases = list(members), strategy.phases()
        found.append(Slice(slice(rows[0], rows[-1] + 1), phases, _first_steps(phases, steps)))
    return found


def too_short(strategy: Strategy, steps: int) -> str | None:
    """Why a training of so many steps has none for one of a strategy's phases; None if all have one.

    >>> from strategies import parse
    >>> too_short(parse("deferred-reweighting(start=0.99)"), steps=40)
    'phase 2 of its 2 has none of the 40 steps; train longer, or let it begin at another share of them'
    """
    phases = strategy.phases()
    for number, (first, after) in enumerate(pairwise((*_first_steps(phases, steps), steps + 1)), 1):
        if first >= after:
            return (
                f"phase {number} of its {len(phases)} has none of the {steps:,} steps; train longer, or let it begin at "
                "another share of them"
            )
    return None


def _first_steps(phases: Sequence[Phase], steps: int) -> tuple[int, ...]:
    return (1, *(round(phase.until * steps) + 1 for phase in phases[:-1]))
