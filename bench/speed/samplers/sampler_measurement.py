"""What a measurement of samplers returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.speed.measurement import SCHEMA, Measurement

SamplerKind = Literal["floor", "sampler", "plain torch", "strategy", "peer"]
"""What a variant is; "floor" is the lower bound, which files have called so from the beginning."""


@dataclass(frozen=True)
class SamplerTiming:
    """One variant at one number of items; None stands for a figure that was not, or could not be, measured."""

    items: int
    variant: str
    kind: SamplerKind
    setup_seconds: float | None = None
    draw_ns: float | None = None
    """Nanoseconds per draw over whole epochs."""
    draw_ratio: float | None = None
    """How many times faster than torch.multinomial."""
    over_floor: float | None = None
    """Time per draw relative to the lower bound."""
    draws_timed: int | None = None
    """Draws in the shortest timed run."""
    batch_ns: float | None = None
    """Nanoseconds per item sampled in batches of 256 and gathered, without a DataLoader."""
    batch_ratio: float | None = None
    """How many times faster than DataLoader(TensorDataset, sampler=WeightedRandomSampler)."""
    loader_ns: float | None = None
    """Nanoseconds per item sampled in batches of 256 and gathered by a DataLoader."""
    loader_ratio: float | None = None
    first_batch_seconds: float | None = None
    resume_seconds: float | None = None
    peak_bytes: int | None = None
    note: str = ""
    """Why the variant was not measured."""

    @property
    def label(self) -> str:
        """The variant's name in tables and figures: older files call the lower bound the floor of the machine."""
        return "lower bound" if self.kind == "floor" else self.variant

    @property
    def why_not_measured(self) -> str:
        """The note in the words of today: files of earlier versions have another word for "not applicable"."""
        return self.note.replace("declines: ", "not applicable: ")


@dataclass(frozen=True)
class SentenceWeightsCost:
    """Nanoseconds per token to compute sentence weights: vectorised over all tokens, and by a Python loop over some of them."""

    tokens: int
    vectorised_ns: float
    loop_tokens: int
    loop_ns: float


@dataclass(frozen=True)
class SamplerMeasurement(Measurement):
    """The timings of all variants at all sizes, and the cost of sentence weights (None on a GPU)."""

    rows: list[SamplerTiming]
    sentence_weights: SentenceWeightsCost | None
    schema_version: int = SCHEMA
