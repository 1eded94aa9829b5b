"""Which phase each training of a stack is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.planning.phase_steps import first_steps, too_short
from strategies import Phase, Strategy


@dataclass(frozen=True)
class StrategySlice:
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


def slices(strategies: Sequence[Strategy], steps: int) -> list[StrategySlice]:
    """A slice for every run of equal strategies; a phase is as long as its share of the steps, rounded.

    >>> from strategies import get
    >>> slices([get("none"), get("none"), get("ignore-index")], steps=10)[0].rows
    slice(0, 2, None)
    """
    found = []
    for strategy, members in groupby(range(len(strategies)), key=strategies.__getitem__):
        assert (reason := too_short(strategy, steps)) is None, reason
        rows, phases = list(members), strategy.phases()
        found.append(StrategySlice(slice(rows[0], rows[-1] + 1), phases, first_steps(phases, steps)))
    return found
