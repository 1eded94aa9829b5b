"""The variants that are compared: samplers, strategies that sample, plain-torch references, peers, and a lower bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice

import torch
from torch import Tensor

from bench.machine.cores import available_cores
from bench.speed.samplers.epoch_streams import BATCH, ChunkStream, EpochSource, SamplerStream
from bench.speed.samplers.peers import MULTINOMIAL, PEERS, Unavailable, build_multinomial
from bench.speed.samplers.sampler_measurement import SamplerKind
from bench.speed.samplers.synthetic_items import SyntheticItems
from strategies import ClassBalancedSampler, RepeatFactorSampler, SentenceSampler, WeightedSampler, get, names
from strategies.draw.counter_rng import hash_key
from strategies.draw.index_sampler import CHUNK, IndexSampler
from strategies.draw.streams import CPU, TORCH_CHUNK, IndependentStream, compiled_loops, fused_kernels
from strategies.registry import find

LOWER_BOUND = "lower bound"

BuildSampler = Callable[[SyntheticItems], IndexSampler]


@dataclass(frozen=True)
class SamplerVariant:
    """A name, and what builds its stream; `build` raises `Unavailable` where the variant cannot be measured."""

    name: str
    kind: SamplerKind
    build: Callable[[SyntheticItems], EpochSource]


def list_variants(device: torch.device) -> list[SamplerVariant]:
    """Return all variants that can be compared on a device, in the order of the table."""
    return list_gpu_variants(device) if device.type != "cpu" else list_cpu_variants()


def list_gpu_variants(device: torch.device) -> list[SamplerVariant]:
    """Return the variants that sample on a GPU, and the same samplers on the CPU next to it."""
    fused = [
        SamplerVariant(name, "sampler", partial(_build_fused, SAMPLERS[name], device)) for name in WITH_PLAIN_TORCH
    ]
    on_cpu = [
        SamplerVariant(f"{name}, {where}", "sampler", partial(_build_on_cpu, SAMPLERS[name], threads))
        for where, threads in (("CPU, one thread", 1), (ALL_CORES, available_cores()))
        for name in WITH_PLAIN_TORCH
    ]
    peer = SamplerVariant(MULTINOMIAL, "peer", partial(build_multinomial, device=device))
    return [_lower_bound(device), *fused, *_plain_torch_variants(device), *on_cpu, peer]


def list_cpu_variants() -> list[SamplerVariant]:
    """Return the variants that sample on the CPU."""
    sampling_strategies = [name for name in names() if find(name).folder == "sample"]
    return [
        _lower_bound(CPU),
        *(SamplerVariant(name, "sampler", partial(_build_sampler, build)) for name, build in SAMPLERS.items()),
        *_plain_torch_variants(CPU),
        *(
            SamplerVariant(f"strategy {name}", "strategy", partial(_build_strategy, name))
            for name in sampling_strategies
        ),
        *(SamplerVariant(name, "peer", build) for name, build in PEERS.items()),
    ]


def _lower_bound(device: torch.device) -> SamplerVariant:
    return SamplerVariant(LOWER_BOUND, "floor", lambda items: build_lower_bound(items.count, items.count, device))


def _plain_torch_variants(device: torch.device) -> list[SamplerVariant]:
    return [
        SamplerVariant(f"{name}, plain torch", "plain torch", partial(_build_plain_torch, SAMPLERS[name], device))
        for name in WITH_PLAIN_TORCH
    ]


def _tenth(items: SyntheticItems) -> int:
    return max(1, items.count // 10)


SAMPLERS: dict[str, BuildSampler] = {
    "ClassBalancedSampler": lambda items: ClassBalancedSampler(items.single_labels),
    "ClassBalancedSampler(power=0.5)": lambda items: ClassBalancedSampler(items.single_labels, power=0.5),
    "ClassBalancedSampler(progressive)": lambda items: ClassBalancedSampler(
        items.single_labels, progressive=items.count
    ),
    "ClassBalancedSampler(N/10 once)": lambda items: ClassBalancedSampler(
        items.single_labels, replacement=False, num_samples=_tenth(items)
    ),
    "WeightedSampler": lambda items: WeightedSampler(items.weights),
    "WeightedSampler(systematic)": lambda items: WeightedSampler(items.weights, method="systematic"),
    "WeightedSampler(N/10 once)": lambda items: WeightedSampler(items.weights, _tenth(items), replacement=False),
    "SentenceSampler": lambda items: SentenceSampler(items.sentences),
    "RepeatFactorSampler": lambda items: RepeatFactorSampler(items.sentences),
}
WITH_PLAIN_TORCH = ("ClassBalancedSampler", "WeightedSampler")
"""Samplers that are measured in plain torch too."""
ALL_CORES = "CPU, all cores"
"""In the names of variants that sample on every core of the machine that has the GPU."""
GPU_CHUNK = 2**24
"""Draws per chunk on a GPU."""


def _build_sampler(build: BuildSampler, items: SyntheticItems) -> EpochSource:
    return SamplerStream(build(items))


def _build_plain_torch(build: BuildSampler, device: torch.device, items: SyntheticItems) -> EpochSource:
    stream = build(items).stream
    assert isinstance(stream, IndependentStream)
    key = hash_key(stream.stream_key, 0)
    return _chunk_stream(
        stream.length(0),
        lambda positions: stream.torch_indices(key, torch.arange(positions.start, positions.stop, device=device)),
        TORCH_CHUNK if device.type == "cpu" else GPU_CHUNK,
    )


def _build_fused(build: BuildSampler, device: torch.device, items: SyntheticItems) -> EpochSource:
    stream = build(items).stream
    return _chunk_stream(stream.length(0), lambda positions: stream.indices_at(0, positions, device), GPU_CHUNK)


def _build_on_cpu(build: BuildSampler, threads: int, items: SyntheticItems) -> EpochSource:
    """Build a stream of chunks that several threads compute at once: any position of an epoch can be computed by itself."""
    stream, pool = build(items).stream, ThreadPoolExecutor(threads)
    epoch_length = stream.length(0)

    def sample(size: int) -> Iterator[Tensor]:
        chunks = (range(start, min(start + size, epoch_length)) for start in range(0, epoch_length, size))
        return pool.map(partial(stream.indices_at, 0), chunks)

    return ChunkStream(sample, epoch_length, CHUNK, CHUNK)


def _chunk_stream(epoch_length: int, indices_at: Callable[[range], Tensor], chunk_size: int) -> EpochSource:
    def sample(size: int) -> Iterator[Tensor]:
        starts = range(0, epoch_length, size)
        return (indices_at(range(start, min(start + size, epoch_length))) for start in starts)

    return ChunkStream(sample, epoch_length, chunk_size, chunk_size)


def _build_strategy(name: str, items: SyntheticItems) -> EpochSource:
    """Build the index stream of a strategy, on sentences where it is not applicable to items of one label."""
    strategy = get(name)
    labels = items.single_labels
    if reason := strategy.why_not_applicable(labels, "tokens"):
        labels = items.sentences
        if strategy.why_not_applicable(labels, "tokens"):
            raise Unavailable(f"not applicable: {reason}")
    counts = labels.counts()

    @cache  # an index stream goes through many epochs: each pass takes the next one
    def stream(size: int) -> Iterator[Tensor]:
        return strategy.index_stream(labels, counts, batch_size=size, steps=len(labels) // size, seed=0)

    def sample(size: int) -> Iterator[Tensor]:
        size = min(size, len(labels))
        return islice(stream(size), len(labels) // size)

    return ChunkStream(sample, len(labels), batch_chunk_size=BATCH)


def build_lower_bound(epoch_length: int, table_size: int, device: torch.device = CPU) -> EpochSource:
    """Build the stream that bounds a sampler's time from below: per draw one random number and one read.

    Each draw reads one of `table_size` entries of 4 bytes, at a random place, with the compiled generator of the samplers.
    """
    kernels = compiled_loops() if device.type == "cpu" else fused_kernels()
    if kernels is None:
        raise Unavailable(f"needs {'numba' if device.type == 'cpu' else 'Triton'}, which is not installed")
    table = torch.arange(table_size, dtype=torch.int32, device=device)

    def read_at_random(positions: range) -> Tensor:
        out = torch.empty(len(positions), dtype=torch.int64, device=device)
        kernels.read_random_places(0, positions.start, 1, table, out)
        return out

    return _chunk_stream(epoch_length, read_at_random, CHUNK if device.type == "cpu" else GPU_CHUNK)
