"""The times of all variants at one number of items: built, then sampled, batched and loaded in turn with each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan, nan
from operator import itemgetter
from statistics import median
from time import perf_counter
from typing import Any, Literal

import torch

from bench.machine.device import synchronize
from bench.speed.samplers.epoch_streams import EpochSource
from bench.speed.samplers.epoch_timing import ROUNDS, EpochPass, PassTiming, WarmedUpPasses
from bench.speed.samplers.peers import MULTINOMIAL, WEIGHTED_RANDOM, Unavailable
from bench.speed.samplers.sampler_measurement import SamplerTiming
from bench.speed.samplers.synthetic_items import SyntheticItems
from bench.speed.samplers.variants import LOWER_BOUND, SamplerVariant, list_variants
from bench.speed.timing import ProgressCallback, measure_in_turn, median_ratio

BUILDS, BUILD_SECONDS = 3, 3.0
"""How often a variant is built to time it; it is not built again after this many seconds."""

TOGETHER = 2**24
"""Items up to which all variants are held in memory at once; beyond, torch.multinomial, the reference of ratios, stops."""

PassKind = Literal["draw", "batch", "loader"]
"""How an epoch is gone through: draws alone, batches gathered without a DataLoader, or batches from a DataLoader."""
PassKey = tuple[PassKind, str]
"""A kind of pass, and the name of a variant."""
REFERENCES: dict[PassKind, PassKey] = {
    "draw": ("draw", MULTINOMIAL),
    "batch": ("loader", WEIGHTED_RANDOM),
    "loader": ("loader", WEIGHTED_RANDOM),
}
"""What the times of each kind of pass are compared with."""


@dataclass(frozen=True)
class BuiltVariant:
    """A variant's stream; median seconds to build it, to its first batch, and to resume (nan where it cannot resume)."""

    stream: EpochSource
    setup_seconds: float
    first_batch_seconds: float
    resume_seconds: float


def time_variants(
    count: int, device: torch.device, progress: ProgressCallback, *, draws_only: bool = False
) -> list[SamplerTiming]:
    """Return a row for every variant at `count` items, with all figures but memory."""
    progress(f"{count:,} items: building")
    items = SyntheticItems(count)
    items.prepare()
    rows: dict[str, SamplerTiming] = {}
    for group in _group_variants(list_variants(device), count):
        for row in _time_group(group, items, device, progress, draws_only=draws_only):
            rows.setdefault(row.variant, row)  # the lower bound is in every group: its first timing is kept
    return list(rows.values())


def _group_variants(variants: Sequence[SamplerVariant], count: int) -> list[list[SamplerVariant]]:
    """Group variants that take turns: all together, or each with the lower bound alone where memory limits them."""
    if count <= TOGETHER:
        return [[*variants]]
    bound = [variant for variant in variants if variant.kind == "floor"]
    return [[*bound, variant] for variant in variants if variant not in bound]


def _time_group(
    group: Sequence[SamplerVariant],
    items: SyntheticItems,
    device: torch.device,
    progress: ProgressCallback,
    *,
    draws_only: bool,
) -> list[SamplerTiming]:
    built, why_not_built = _build_variants(group, items)
    where = f"{items.count:,} items" if items.count <= TOGETHER else f"{items.count:,} items, {group[-1].name}"
    listed = _list_passes(built, items, device, draws_only=draws_only)
    passes = {key: WarmedUpPasses(epoch_pass) for key, epoch_pass in listed.items()}
    timings = measure_in_turn(passes, ROUNDS, lambda round: progress(f"{where}: {round}"))
    return [
        SamplerTiming(
            items.count,
            variant.name,
            variant.kind,
            note=why_not_built.get(variant.name, ""),
            **(_timed_figures(variant.name, built[variant.name], timings) if variant.name in built else {}),
        )
        for variant in group
    ]


def _build_variants(
    variants: Iterable[SamplerVariant], items: SyntheticItems
) -> tuple[dict[str, BuiltVariant], dict[str, str]]:
    """Return what was built, and for each variant that is unavailable the reason, by name."""
    built, why_not_built = {}, {}
    for variant in variants:
        try:
            built[variant.name] = _build_variant(variant, items)
        except Unavailable as reason:
            why_not_built[variant.name] = str(reason)
    return built, why_not_built


def _build_variant(variant: SamplerVariant, items: SyntheticItems) -> BuiltVariant:
    next(variant.build(SyntheticItems(1000)).batches())  # imports and compilation are not part of the set-up time
    times: list[tuple[float, float, float]] = []
    while len(times) < BUILDS and sum(setup + first for setup, first, _ in times) < BUILD_SECONDS:
        begin = perf_counter()
        stream = variant.build(items)
        built = perf_counter()
        next(stream.batches())
        first_batch = perf_counter()
        can_resume = stream.resume() is not None
        resumed = perf_counter()
        times.append((built - begin, first_batch - built, resumed - first_batch if can_resume else nan))
    return BuiltVariant(stream, *map(median, zip(*times, strict=True)))


def _list_passes(
    built: Mapping[str, BuiltVariant], items: SyntheticItems, device: torch.device, *, draws_only: bool
) -> dict[PassKey, EpochPass]:
    """List all passes in the order of a round: those that are compared with each other come one after another."""
    by_variant = {
        name: _passes_of(variant.stream, items, device, draws_only=draws_only) for name, variant in built.items()
    }
    return {
        (kind, name): passes[kind]
        for kind in REFERENCES
        for name, passes in by_variant.items()
        if kind in passes and (kind == "draw" or name != LOWER_BOUND)
    }


def _passes_of(
    stream: EpochSource, items: SyntheticItems, device: torch.device, *, draws_only: bool
) -> dict[PassKind, EpochPass]:
    def epoch_length() -> int:
        return stream.epoch_length

    draw = EpochPass(stream.chunks, lambda chunk: synchronize(device), epoch_length)
    if draws_only:
        return {"draw": draw}
    passes: dict[PassKind, EpochPass] = {
        "draw": draw,
        "batch": EpochPass(stream.batches, partial(items.rows.index_select, 0), epoch_length),
    }
    if (loader := stream.loader(items.rows)) is not None:
        passes["loader"] = EpochPass(lambda: map(itemgetter(0), loader), len, epoch_length)
    return passes


def _timed_figures(name: str, built: BuiltVariant, timings: Mapping[PassKey, Sequence[PassTiming]]) -> dict[str, Any]:
    """Return the timed fields of a variant's row."""
    seconds = {key: [timing.seconds_per_draw for timing in rounds] for key, rounds in timings.items()}

    def ratio(numerator: PassKey, denominator: PassKey) -> float | None:
        if numerator not in seconds or denominator not in seconds:
            return None
        return median_ratio(seconds[numerator], seconds[denominator])

    figures: dict[str, Any] = {
        "setup_seconds": built.setup_seconds,
        "first_batch_seconds": built.first_batch_seconds,
        "resume_seconds": None if isnan(built.resume_seconds) else built.resume_seconds,
        "over_floor": ratio(("draw", name), ("draw", LOWER_BOUND)),
        "draws_timed": min(timing.draws for timing in timings["draw", name]),
    }
    for kind, reference in REFERENCES.items():
        if (kind, name) in seconds:
            figures[f"{kind}_ns"] = median(seconds[kind, name]) * 1e9
            figures[f"{kind}_ratio"] = ratio(reference, (kind, name))
    return figures
