"""The runs of a stack by strategy, and the steps at which the phases of each strategy begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.planning.phase_steps import first_steps, why_too_short
from strategies import Phase, Strategy


@dataclass(frozen=True)
class StrategySlice:
    """Adjacent runs of a stack that share a strategy; phase i of the strategy begins with step `first_steps[i]`."""

    rows: slice
    phases: tuple[Phase, ...]
    first_steps: tuple[int, ...]

    @property
    def members(self) -> range:
        """The rows of the stack that belong to the slice."""
        return range(self.rows.start, self.rows.stop)

    def phase_starting_at(self, step: int) -> int | None:
        """Return the number of the phase that begins with this step, None if no phase does."""
        return self.first_steps.index(step) if step in self.first_steps else None


def slice_by_strategy(strategies: Sequence[Strategy], steps: int) -> list[StrategySlice]:
    """Return a slice for each stretch of equal strategies; a phase is as long as its share of the steps, rounded.

    >>> from strategies import get
    >>> slice_by_strategy([get("none"), get("none"), get("ignore-index")], steps=10)[0].rows
    slice(0, 2, None)
    """
    slices = []
    for strategy, members in groupby(range(len(strategies)), key=strategies.__getitem__):
        assert (reason := why_too_short(strategy, steps)) is None, reason
        rows, phases = list(members), strategy.phases()
        slices.append(StrategySlice(slice(rows[0], rows[-1] + 1), phases, first_steps(phases, steps)))
    return slices
