"""What a measurement of training leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = 1

Kind = Literal["naive", "well-written", "stack", "mixed"]


@dataclass(frozen=True)
class Row:
    """One variant on one model; None stands for what could not be measured."""

    model: str
    variant: str
    kind: Kind
    width: int
    """Trainings that a step moves."""
    step_ms: float
    """Milliseconds a step and training, the median over rounds; then the fastest round's and the slowest's."""
    fastest_ms: float
    slowest_ms: float
    naive_ratio: float
    """How many times faster than the naive loop."""
    well_written_ratio: float
    """How many times faster than the fastest well-written loop."""
    steps_timed: int
    """Steps of a timed run."""
    peak_bytes: int | None = None
    """The most it holds while it trains, data not counted."""


@dataclass(frozen=True)
class TwoProcesses:
    """Two processes with a stack of `width` each, against the same stacks one after another; a note says why not."""

    model: str
    width: int
    ratio: float | None = None
    """How many times faster."""
    step_ms: float | None = None
    """Milliseconds a step and training of both together."""
    note: str = ""


@dataclass(frozen=True)
class Result:
    """All rows, and what they hold for."""

    command: str
    machine: dict[str, str]
    method: str
    rows: list[Row]
    two_processes: list[TwoProcesses]
    notes: list[str]
    schema_version: int = SCHEMA


def well_written(rows: list[Row], model: str) -> Row:
    """The fastest of a model's well-written loops: what stacks are compared with."""
    return min((row for row in rows if (row.model, row.kind) == (model, "well-written")), key=lambda row: row.step_ms)
