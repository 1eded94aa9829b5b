"""One process's rounds: each sampler and the floor take turns, and what counts is the ratio of their times."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import process_time

import torch

from bench.speed.samplers.items import Items
from bench.speed.samplers.variants import floor
from strategies import ClassBalancedSampler, WeightedSampler
from strategies.draw.index_sampler import CHUNK, IndexSampler

ITEMS = 1_000_000
PLACES = 4 * ITEMS
"""Of 4 bytes that the floor reads from: as large as the largest table of a sampler, 16 bytes an item, so that what neighbours
take of the caches weighs on both alike."""
ROUNDS, TURNS = 15, 8
"""Rounds of a process; turns that floor and sampler take in a round, the fastest of which counts for each."""

Work = Callable[[], object]
Samplers = dict[str, IndexSampler]


def samplers() -> Samplers:
    """The samplers that are checked."""
    items = Items(ITEMS)
    return {
        "ClassBalancedSampler": ClassBalancedSampler(items.one_each),
        "WeightedSampler": WeightedSampler(items.weights),
    }


def ratios(make: Callable[[], Samplers] = samplers) -> dict[str, list[float]]:
    """The time of an epoch of draws over that of the floor, a number a round, for each sampler that `make` makes."""
    torch.set_num_threads(1)
    epochs = {name: each.batches(CHUNK) for name, each in make().items()}
    return in_rounds(
        partial(_exhaust, floor(ITEMS, PLACES).chunks),
        {name: partial(_exhaust, each.__iter__) for name, each in epochs.items()},
    )


def in_rounds(floor: Work, samplers: Mapping[str, Work]) -> dict[str, list[float]]:
    """The ratios of each sampler's work to the floor's.

    The processor's time is taken, not the clock's, and of several short turns the fastest, floor and sampler one after the
    other: so what other processes take away counts as little as it can.
    """
    for work in (floor, *samplers.values()):
        work()  # compiled, and in the cache
    found: dict[str, list[float]] = {name: [] for name in samplers}
    for _ in range(ROUNDS):
        for name, draw in samplers.items():
            turns = [(_seconds(floor), _seconds(draw)) for _ in range(TURNS)]
            of_floor, of_sampler = map(min, zip(*turns, strict=True))
            found[name].append(of_sampler / of_floor)
    return found


def _exhaust(epoch: Callable[[], Iterable[object]]) -> None:
    deque(epoch(), maxlen=0)


def _seconds(work: Work) -> float:
    begin = process_time()
    work()
    return process_time() - begin
