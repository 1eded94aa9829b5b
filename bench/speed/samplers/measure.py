"""All measurements at one size: every variant built, then drawn, batched and loaded in turn with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan, nan
from operator import itemgetter
from statistics import median
from time import perf_counter
from typing import Any, Literal

import torch

from bench.machine.fresh_process import in_fresh_process
from bench.speed.samplers.items import Items
from bench.speed.samplers.memory import peak_bytes
from bench.speed.samplers.peers import MULTINOMIAL, WEIGHTED_RANDOM, Unavailable
from bench.speed.samplers.result import Row
from bench.speed.samplers.streams import Stream
from bench.speed.samplers.timing import Pass, Walk, in_turn
from bench.speed.samplers.variants import FLOOR, Variant, variants

BUILDS, ENOUGH = 3, 3.0
"""How often a variant is built for its times; no more after so many seconds."""

TOGETHER = 2**24
"""Items up to which all variants are held in memory at once; past it torch.multinomial, which all are compared with, stops."""

Say = Callable[[str], None]
Way = Literal["draw", "batch", "loader"]
"""How an epoch is walked through: its draws alone, batches gathered without a DataLoader, batches from one."""
Runs = dict[tuple[Way, str], list[Pass]]
REFERENCES: dict[Way, tuple[Way, str]] = {
    "draw": ("draw", MULTINOMIAL),
    "batch": ("loader", WEIGHTED_RANDOM),
    "loader": ("loader", WEIGHTED_RANDOM),
}
"""What each way is compared with."""


@dataclass(frozen=True)
class Built:
    """A variant's stream; median seconds to build it, to its first batch, to go on from a state (nan where it cannot)."""

    stream: Stream
    setup_seconds: float
    first_batch_seconds: float
    resume_seconds: float


def measure(count: int, device: torch.device, say: Say) -> list[Row]:
    """A row for every variant at `count` items."""
    rows = _timed(count, device, say)
    if device.type != "cpu":
        return rows
    say(f"{count:,} items: memory, each in a process of its own")
    return [
        replace(row, peak_bytes=in_fresh_process(peak_bytes, row.variant, count)) if row.draw_ns is not None else row
        for row in rows
    ]


def _timed(count: int, device: torch.device, say: Say) -> list[Row]:
    """All but memory; the items are given back before that is measured."""
    say(f"{count:,} items: building")
    items = Items(count)
    items.read()
    rows: dict[str, Row] = {}
    for group in _groups(variants(device), count):
        for row in _in_one_process(group, items, device, say):
            rows.setdefault(row.variant, row)
    return list(rows.values())


def _groups(known: Sequence[Variant], count: int) -> list[list[Variant]]:
    """Variants that are measured in turn with each other: all of them, or each with the floor where memory bounds them."""
    if count <= TOGETHER:
        return [[*known]]
    floor = [each for each in known if each.kind == "floor"]
    return [[*floor, each] for each in known if each not in floor]


def _in_one_process(group: Sequence[Variant], items: Items, device: torch.device, say: Say) -> list[Row]:
    built, why_not = _build_all(group, items)
    what = f"{items.items:,} items" if items.items <= TOGETHER else f"{items.items:,} items, {group[-1].name}"
    runs = in_turn(_all_walks(built, items, device), lambda round: say(f"{what}: {round}"))
    return [
        Row(
            items.items,
            each.name,
            each.kind,
            note=why_not.get(each.name, ""),
            **(_figures(each.name, built[each.name], runs) if each.name in built else {}),
        )
        for each in group
    ]


def _build_all(known: Iterable[Variant], items: Items) -> tuple[dict[str, Built], dict[str, str]]:
    built, why_not = {}, {}
    for each in known:
        try:
            built[each.name] = _build(each, items)
        except Unavailable as reason:
            why_not[each.name] = str(reason)
    return built, why_not


def _build(variant: Variant, items: Items) -> Built:
    next(variant.build(Items(1000)).batches())  # what it imports and compiles is no part of building it
    times: list[tuple[float, float, float]] = []
    while len(times) < BUILDS and sum(setup + first for setup, first, _ in times) < ENOUGH:
        begin = perf_counter()
        stream = variant.build(items)
        ready = perf_counter()
        next(stream.batches())
        handed = perf_counter()
        resumed = stream.resume()
        times.append((ready - begin, handed - ready, nan if resumed is None else perf_counter() - handed))
    return Built(stream, *map(median, zip(*times, strict=True)))


def _all_walks(built: Mapping[str, Built], items: Items, device: torch.device) -> dict[tuple[Way, str], Walk]:
    """Those that are compared with each other come one after another."""
    walks = {name: _walks(each.stream, items, device) for name, each in built.items()}
    return {
        (way, name): each[way]
        for way in REFERENCES
        for name, each in walks.items()
        if way in each and (way == "draw" or name != FLOOR)
    }


def _walks(stream: Stream, items: Items, device: torch.device) -> dict[Way, Walk]:
    def epoch() -> int:
        return stream.epoch

    if device.type != "cpu":
        return {"draw": Walk(stream.chunks, lambda piece: torch.cuda.synchronize(device), epoch)}
    walks: dict[Way, Walk] = {
        "draw": Walk(stream.chunks, len, epoch),
        "batch": Walk(stream.batches, partial(items.rows.index_select, 0), epoch),
    }
    if (loader := stream.loader(items.rows)) is not None:
        walks["loader"] = Walk(lambda: map(itemgetter(0), loader), len, epoch)
    return walks


def _figures(name: str, built: Built, runs: Runs) -> dict[str, Any]:
    """The timed columns of a variant's row."""
    found: dict[str, Any] = {
        "setup_seconds": built.setup_seconds,
        "first_batch_seconds": built.first_batch_seconds,
        "resume_seconds": None if isnan(built.resume_seconds) else built.resume_seconds,
        "over_floor": _ratio(runs, ("draw", name), ("draw", FLOOR)),
        "draws_timed": min(each.draws for each in runs["draw", name]),
    }
    for way, reference in REFERENCES.items():
        if (way, name) in runs:
            found[f"{way}_ns"] = median(each.seconds_a_draw for each in runs[way, name]) * 1e9
            found[f"{way}_ratio"] = _ratio(runs, reference, (way, name))
    return found


def _ratio(runs: Runs, above: tuple[Way, str], below: tuple[Way, str]) -> float | None:
    """The median over rounds of one walk's seconds a draw over another's."""
    if above not in runs or below not in runs:
        return None
    return median(a.seconds_a_draw / b.seconds_a_draw for a, b in zip(runs[above], runs[below], strict=True))
