"""The rounds of one process: each sampler takes turns with a reference loop, and the ratio of their times is kept.

The reference loop, one random number and one random read per draw, makes ratios independent of how busy the machine is. It
is the lower bound of the sampler benchmark with a larger table, so a sampler can be faster.
"""

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
"""Entries of 4 bytes that the reference loop reads from: as large as a sampler's largest table, 16 bytes per item, so that
other processes in the same caches slow both alike."""
ROUNDS, TURNS = 15, 8
"""Rounds per process; turns that reference loop and sampler take in a round, of which each one's fastest counts."""

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
    """Return for each sampler that `build` builds its time relative to the reference loop, one ratio per round."""
    torch.set_num_threads(1)
    epochs = {name: sampler.batches(CHUNK) for name, sampler in build().items()}
    return time_against_reference(
        partial(_exhaust, build_lower_bound(ITEMS, TABLE_SIZE).chunks),
        {name: partial(_exhaust, epoch.__iter__) for name, epoch in epochs.items()},
    )


def time_against_reference(reference: Work, samplers: Mapping[str, Work]) -> dict[str, list[float]]:
    """Return for each sampler the time of its work relative to the reference's work, one ratio per round."""
    for work in (reference, *samplers.values()):
        work()  # warm-up: compiles, and fills the cache
    ratios = {name: partial(_ratio_of_fastest, work, reference) for name, work in samplers.items()}
    return measure_in_turn(ratios, ROUNDS)


def _ratio_of_fastest(work: Work, reference: Work) -> float:
    """Return the ratio of the fastest of several short turns each.

    Processor time instead of wall-clock time, alternating turns, and the fastest turn of each keep the influence of other
    processes as small as possible.
    """
    turns = [(time_call(reference, process_time), time_call(work, process_time)) for _ in range(TURNS)]
    fastest_reference = min(reference_seconds for reference_seconds, _ in turns)
    fastest_work = min(work_seconds for _, work_seconds in turns)
    return fastest_work / fastest_reference


def _exhaust(start_epoch: Callable[[], Iterable[object]]) -> None:
    deque(start_epoch(), maxlen=0)
