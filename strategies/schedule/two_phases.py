"""Base class of schedules in two phases: plain training up to a share of the steps, then another strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.labels import ClassCounts, Labels
from strategies.none import Plain
from strategies.notation import NotationError
from strategies.strategy import Inputs, Phase, Strategy


@dataclass(frozen=True)
class TwoPhases(Strategy):
    """Plain training up to the share `start` of the steps, then `second()`; no effective prior, because the phases differ."""

    start: float = 0.8
    folder: ClassVar[str] = "schedule"

    def __post_init__(self) -> None:
        if not 0 < self.start < 1:
            raise NotationError(
                f"{self.name}: start, a share of the steps, must be between 0 and 1; given: {self.start}"
            )

    def second(self) -> Phase:
        """Return the phase from `start` to the end."""
        raise TypeError(f"{type(self).__name__} does not define second()")

    def phases(self) -> tuple[Phase, ...]:
        return (Phase(self.start, Plain()), self.second())

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        return self.second().strategy.why_not_applicable(labels, inputs)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> None:
        return None
