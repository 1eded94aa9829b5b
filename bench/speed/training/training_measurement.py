"""What a measurement of training returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.speed.measurement import SCHEMA, Measurement

TrainerKind = Literal["naive", "well-written", "stack", "mixed"]
"""What a variant is: one of two kinds of loops by hand, a stack of baseline runs, or a stack of several strategies."""


@dataclass(frozen=True)
class TrainingTiming:
    """One variant on one model; None stands for a figure that could not be measured."""

    model: str
    variant: str
    kind: TrainerKind
    width: int
    """The runs that one step trains."""
    step_ms: float
    """Milliseconds per step and run: the median over rounds."""
    fastest_ms: float
    """Milliseconds per step and run in the fastest round."""
    slowest_ms: float
    """Milliseconds per step and run in the slowest round."""
    naive_ratio: float
    """How many times faster than the naive loop."""
    well_written_ratio: float
    """How many times faster than the fastest well-written loop."""
    steps_timed: int
    """Steps per round."""
    peak_bytes: int | None = None
    """Memory held at the peak of training, without the data."""

    @property
    def label(self) -> str:
        """The variant's name in tables and figures."""
        return self.variant


@dataclass(frozen=True)
class TwoProcesses:
    """Two processes at once, with a stack of `width` runs each, compared with the same stacks one after the other."""

    model: str
    width: int
    ratio: float | None = None
    """How many times faster both at once are."""
    step_ms: float | None = None
    """Milliseconds per step and run, of both at once."""
    note: str = ""
    """Why this was not measured."""


@dataclass(frozen=True)
class TrainingMeasurement(Measurement):
    """The timings of all variants on all models, the gain of a second process per model, and notes on what limits them."""

    rows: list[TrainingTiming]
    two_processes: list[TwoProcesses]
    notes: list[str]
    schema_version: int = SCHEMA


def fastest_well_written(rows: Sequence[TrainingTiming], model: str) -> TrainingTiming:
    """Return the fastest of a model's well-written loops, which stacks are compared with."""
    loops = [row for row in rows if row.model == model and row.kind == "well-written"]
    return min(loops, key=lambda row: row.step_ms)
