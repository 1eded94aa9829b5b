"""Equal tuning: a grid of as many configurations for every strategy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.planning.protocol import Protocol
from strategies import Strategy


@dataclass(frozen=True)
class Configuration:
    """One point of a grid: a strategy with its hyper-parameters, and the protocol it is trained under."""

    label: str
    strategy: Strategy
    protocol: Protocol
    at_edge: bool = False
    """Whether its value is the lowest or the highest of the grid."""


@dataclass(frozen=True)
class Grid:
    """As many configurations for every strategy: values of its own hyper-parameters, or else learning rates."""

    learning_rates: tuple[float, ...]
    own: Mapping[Strategy, tuple[Strategy, ...]] = field(default_factory=dict)
    """By strategy: itself with other hyper-parameters."""

    def configurations(self, strategy: Strategy, protocol: Protocol) -> list[Configuration]:
        """Return the configurations that a strategy is tuned over."""
        if values := self.own.get(strategy):
            return [
                Configuration(str(value), value, protocol, at_edge)
                for value, at_edge in zip(values, _are_at_edge_of_own_grid(values), strict=True)
            ]
        return [
            Configuration(
                f"learning_rate={rate:g}", strategy, dataclasses.replace(protocol, learning_rate=rate), at_edge
            )
            for rate, at_edge in zip(self.learning_rates, _are_at_edge(self.learning_rates), strict=True)
        ]


def _are_at_edge(numbers: Sequence[float]) -> list[bool]:
    return [number in (min(numbers), max(numbers)) for number in numbers]


def _are_at_edge_of_own_grid(values: Sequence[Strategy]) -> list[bool]:
    """Return whether each value is at the edge of the grid.

    Values that differ in more than one hyper-parameter, or in one that is not a number, have no order and so no edge.
    """
    parameters = [[parameter for part in value.parts for parameter in part.parameters.values()] for value in values]
    columns = list(zip(*parameters, strict=True))
    differing = [column for column in columns if any(parameter != column[0] for parameter in column)]
    if len(differing) == 1 and all(type(parameter) in (int, float) for parameter in differing[0]):
        return _are_at_edge(differing[0])
    return [False] * len(values)
