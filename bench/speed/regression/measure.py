"""The rounds of one process: each sampler takes turns with the lower bound, and the ratio of their times is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import process_time

import torch

from bench.speed.samplers.synthetic_items import SyntheticItems
from bench.speed.samplers.variants import build_lower_bound
from bench.speed.timing import measure_in_turn, time_call
from strategies import ClassBalancedSampler, WeightedSampler
from strategies.draw.index_sampler import CHUNK, IndexSampler

ITEMS = 1_000_000
TABLE_SIZE = 4 * ITEMS
"""Entries of 4 bytes that the lower bound reads from: as large as a sampler's largest table, 16 bytes per item, so that other
processes in the same caches slow both alike."""
ROUNDS, TURNS = 15, 8
"""Rounds per process; turns that lower bound and sampler take in a round, of which each one's fastest counts."""

Work = Callable[[], object]
Samplers = dict[str, IndexSampler]


def build_samplers() -> Samplers:
    """Build the samplers that are checked, by name."""
    items = SyntheticItems(ITEMS)
    return {
        "ClassBalancedSampler": ClassBalancedSampler(items.single_labels),
        "WeightedSampler": WeightedSampler(items.weights),
    }


def measure_ratios(build: Callable[[], Samplers] = build_samplers) -> dict[str, list[float]]:
    """Return for each sampler that `build` builds the time of an epoch relative to the lower bound's, one ratio per round."""
    torch.set_num_threads(1)
    epochs = {name: sampler.batches(CHUNK) for name, sampler in build().items()}
    return time_against_bound(
        partial(_exhaust, build_lower_bound(ITEMS, TABLE_SIZE).chunks),
        {name: partial(_exhaust, epoch.__iter__) for name, epoch in epochs.items()},
    )


def time_against_bound(bound: Work, samplers: Mapping[str, Work]) -> dict[str, list[float]]:
    """Return for each sampler the time of its work relative to the bound's work, one ratio per round."""
    for work in (bound, *samplers.values()):
        work()  # warm-up: compiles, and fills the cache
    return measure_in_turn({name: partial(_ratio_of_fastest, work, bound) for name, work in samplers.items()}, ROUNDS)


def _ratio_of_fastest(work: Work, bound: Work) -> float:
    """Return the ratio of the fastest of several short turns each.

    Processor time instead of wall-clock time, alternating turns and the fastest of each keep the influence of other processes
    as small as possible.
    """
    turns = [(time_call(bound, process_time), time_call(work, process_time)) for _ in range(TURNS)]
    fastest_bound = min(bound_seconds for bound_seconds, _ in turns)
    fastest_work = min(work_seconds for _, work_seconds in turns)
    return fastest_work / fastest_bound


def _exhaust(start_epoch: Callable[[], Iterable[object]]) -> None:
    deque(start_epoch(), maxlen=0)
