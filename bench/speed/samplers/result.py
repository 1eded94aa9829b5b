"""What a measurement of samplers leaves."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = 1


@dataclass(frozen=True)
class Row:
    """One variant at one size; None stands for what was not, or could not be, measured."""

    items: int
    variant: str
    kind: str
    setup_seconds: float | None = None
    draw_ns: float | None = None
    """Nanoseconds a draw, whole epochs."""
    draw_ratio: float | None = None
    """How many times faster than torch.multinomial."""
    over_floor: float | None = None
    """How many times the floor of the machine."""
    draws_timed: int | None = None
    """Draws of the shortest timed run."""
    batch_ns: float | None = None
    """Nanoseconds an item: drawn in batches of 256 and gathered, without a DataLoader."""
    batch_ratio: float | None = None
    """How many times faster than DataLoader(TensorDataset, sampler=WeightedRandomSampler)."""
    loader_ns: float | None = None
    """The same through a DataLoader."""
    loader_ratio: float | None = None
    first_batch_seconds: float | None = None
    resume_seconds: float | None = None
    peak_bytes: int | None = None
    note: str = ""


@dataclass(frozen=True)
class SentenceWeightsCost:
    """Nanoseconds a token of weighing sentences: vectorised over all tokens, and by the best Python loop over some of them."""

    tokens: int
    vectorised_ns: float
    loop_tokens: int
    loop_ns: float


@dataclass(frozen=True)
class Result:
    """All rows, and what they hold for."""

    command: str
    machine: dict[str, str]
    method: str
    rows: list[Row]
    sentence_weights: SentenceWeightsCost | None
    schema_version: int = SCHEMA
