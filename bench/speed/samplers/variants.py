"""What is compared: the samplers of this project, its strategies that sample, the plain-torch references, peers and the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Literal

import torch
from torch import Tensor

from bench.speed.samplers.items import Items
from bench.speed.samplers.peers import MULTINOMIAL, PEERS, Unavailable, multinomial
from bench.speed.samplers.streams import BATCH, IndexTensors, Pieces, Stream
from strategies import ClassBalancedSampler, RepeatFactorSampler, SentenceSampler, WeightedSampler, get, names
from strategies.draw.counter_rng import key_of
from strategies.draw.index_sampler import CHUNK, IndexSampler
from strategies.draw.streams import PIECE, WithReplacement, compiled_loops
from strategies.registry import find

FLOOR = "floor of the machine"

Kind = Literal["floor", "sampler", "plain torch", "strategy", "peer"]
Make = Callable[[Items], IndexSampler]


@dataclass(frozen=True)
class Variant:
    """A name and what builds its stream; `build` raises `Unavailable` where it cannot be measured."""

    name: str
    kind: Kind
    build: Callable[[Items], Stream]


def variants(device: torch.device) -> list[Variant]:
    """All that can be compared on a device, in the order of the table."""
    references = [
        Variant(f"{name}, plain torch", "plain torch", partial(_plain_torch, SAMPLERS[name], device)) for name in PLAIN
    ]
    if device.type != "cpu":
        fused = [Variant(name, "sampler", partial(_fused, SAMPLERS[name], device)) for name in PLAIN]
        return [*fused, *references, Variant(MULTINOMIAL, "peer", partial(multinomial, device=device))]
    sampling = [name for name in names() if find(name).folder == "sample"]
    return [
        Variant(FLOOR, "floor", lambda items: floor(items.items, items.items)),
        *(Variant(name, "sampler", partial(_sampler, make)) for name, make in SAMPLERS.items()),
        *references,
        *(Variant(f"strategy {name}", "strategy", partial(_strategy, name)) for name in sampling),
        *(Variant(name, "peer", build) for name, build in PEERS.items()),
    ]


def _tenth(items: Items) -> int:
    return max(1, items.items // 10)


SAMPLERS: dict[str, Make] = {
    "ClassBalancedSampler": lambda items: ClassBalancedSampler(items.one_each),
    "ClassBalancedSampler(power=0.5)": lambda items: ClassBalancedSampler(items.one_each, power=0.5),
    "ClassBalancedSampler(progressive)": lambda items: ClassBalancedSampler(items.one_each, progressive=items.items),
    "ClassBalancedSampler(N/10 once)": lambda items: ClassBalancedSampler(
        items.one_each, replacement=False, num_samples=_tenth(items)
    ),
    "WeightedSampler": lambda items: WeightedSampler(items.weights),
    "WeightedSampler(systematic)": lambda items: WeightedSampler(items.weights, method="systematic"),
    "WeightedSampler(N/10 once)": lambda items: WeightedSampler(items.weights, _tenth(items), replacement=False),
    "SentenceSampler": lambda items: SentenceSampler(items.sentences),
    "RepeatFactorSampler": lambda items: RepeatFactorSampler(items.sentences),
}
PLAIN = ("ClassBalancedSampler", "WeightedSampler")
"""Samplers whose plain-torch reference is measured too."""
LARGE = 2**24
"""Draws at a time on a GPU."""


def _sampler(make: Make, items: Items) -> Stream:
    return IndexTensors(make(items))


def _plain_torch(make: Make, device: torch.device, items: Items) -> Stream:
    draws = make(items).draws
    assert isinstance(draws, WithReplacement)
    key = key_of(draws.stream, 0)
    return _pieces(
        draws.length(0),
        lambda where: draws.indices(key, torch.arange(where.start, where.stop, device=device)),
        PIECE if device.type == "cpu" else LARGE,
    )


def _fused(make: Make, device: torch.device, items: Items) -> Stream:
    draws = make(items).draws
    return _pieces(draws.length(0), lambda where: draws.take(0, where, device), LARGE)


def _pieces(epoch: int, take: Callable[[range], Tensor], size: int) -> Stream:
    def draw(size: int) -> Iterator[Tensor]:
        return (take(range(at, min(at + size, epoch))) for at in range(0, epoch, size))

    return Pieces(draw, epoch, size, size)


def _strategy(name: str, items: Items) -> Stream:
    strategy = get(name)
    labels = items.one_each
    if reason := strategy.why_not_applicable(labels, "tokens"):
        labels = items.sentences
        if strategy.why_not_applicable(labels, "tokens"):
            raise Unavailable(f"declines: {reason}")
    counts = labels.counts()

    @cache
    def stream(size: int) -> Iterator[Tensor]:
        return strategy.index_stream(labels, counts, batch_size=size, steps=len(labels) // size, seed=0)

    def draw(size: int) -> Iterator[Tensor]:
        size = min(size, len(labels))
        return islice(stream(size), len(labels) // size)

    return Pieces(draw, len(labels), cut=BATCH)


def floor(draws: int, places: int) -> Stream:
    """The floor of this machine: an epoch of so many draws, each a read of one of so many places of 4 bytes."""
    loops = compiled_loops()
    if loops is None:
        raise Unavailable("needs numba, which is not installed")
    table = torch.arange(places, dtype=torch.int32)

    def take(where: range) -> Tensor:
        out = torch.empty(len(where), dtype=torch.int64)
        loops.floor(0, where.start, 1, table, out)
        return out

    return _pieces(draws, take, CHUNK)
