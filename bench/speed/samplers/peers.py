"""Samplers of other packages: PyTorch's, NumPy's, and those of packages that may be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset, WeightedRandomSampler

from bench.speed.samplers.epoch_streams import ChunkStream, EpochSource, IntegerStream
from bench.speed.samplers.synthetic_items import CLASS_COUNTS, SyntheticItems
from strategies.draw.streams import CPU
from strategies.sample.weighted_random_sampler import MAX_ITEMS

MULTINOMIAL, WEIGHTED_RANDOM = "torch.multinomial", "torch WeightedRandomSampler"
FEW = 2560
"""The epoch length of MPerClassSampler, whose draws can take a millisecond each."""


class Unavailable(Exception):  # noqa: N818  (a fact, not an error)
    """Raised, with the reason, where a variant cannot be measured on this machine."""


def build_multinomial(items: SyntheticItems, device: torch.device = CPU) -> EpochSource:
    """Build a stream of `torch.multinomial` in float64, which samples a whole epoch at once: the reference of all ratios."""
    _check_multinomial_limit(items)
    weights, generator = items.weights.to(device), torch.Generator(device).manual_seed(0)

    def sample(size: int) -> Iterator[Tensor]:
        yield from torch.multinomial(weights, items.count, replacement=True, generator=generator).split(size)

    return ChunkStream(sample, items.count)


def _build_multinomial_without_replacement(items: SyntheticItems) -> EpochSource:
    _check_multinomial_limit(items)
    draws, generator = max(1, items.count // 10), torch.Generator().manual_seed(0)

    def sample(size: int) -> Iterator[Tensor]:
        yield from torch.multinomial(items.weights, draws, replacement=False, generator=generator).split(size)

    return ChunkStream(sample, draws)


def _build_weighted_random(items: SyntheticItems) -> EpochSource:
    _check_multinomial_limit(items)
    generator = torch.Generator().manual_seed(0)
    # Its annotation asks for a list, but any sequence of numbers works.
    sampler = WeightedRandomSampler(items.weights, items.count, generator=generator)  # type: ignore[arg-type]
    return IntegerStream(sampler, items.count)


def _build_numpy_choice(items: SyntheticItems) -> EpochSource:
    rng, probabilities = np.random.default_rng(0), (items.weights / items.weights.sum()).numpy()

    def sample(size: int) -> Iterator[Tensor]:
        yield from torch.from_numpy(rng.choice(items.count, items.count, p=probabilities)).split(size)

    return ChunkStream(sample, items.count)


def _build_torchsampler(items: SyntheticItems) -> EpochSource:
    _check_multinomial_limit(items)
    dataset, labels = TensorDataset(items.labels), items.labels.tolist()
    sampler = _build_from_package("torchsampler", "ImbalancedDatasetSampler", dataset, labels=labels)
    return IntegerStream(sampler, items.count)


def _build_catalyst(items: SyntheticItems) -> EpochSource:
    per_class = max(1, items.count // len(CLASS_COUNTS))
    sampler = _build_from_package("catalyst.data.sampler", "BalanceClassSampler", items.labels.tolist(), mode=per_class)
    return IntegerStream(sampler, len(sampler))


def _build_metric_learning(items: SyntheticItems) -> EpochSource:
    module = "pytorch_metric_learning.samplers"
    sampler = _build_from_package(module, "MPerClassSampler", items.labels, m=4, length_before_new_iter=FEW)
    return IntegerStream(sampler, len(sampler))


PEERS: dict[str, Callable[[SyntheticItems], EpochSource]] = {
    MULTINOMIAL: build_multinomial,
    f"{MULTINOMIAL}(N/10 once)": _build_multinomial_without_replacement,
    WEIGHTED_RANDOM: _build_weighted_random,
    "numpy Generator.choice": _build_numpy_choice,
    "torchsampler": _build_torchsampler,
    "catalyst BalanceClassSampler": _build_catalyst,
    "MPerClassSampler": _build_metric_learning,
}


def _check_multinomial_limit(items: SyntheticItems) -> None:
    if items.count > MAX_ITEMS:
        raise Unavailable(f"torch.multinomial stops at 2^24 = {MAX_ITEMS:,} items")


def _build_from_package(module: str, name: str, *arguments: Any, **named: Any) -> Any:
    """Build a sampler of a package that may be missing, incomplete, or incompatible with this torch."""
    package = module.partition(".")[0]
    distribution = package.replace("_", "-")
    try:
        return getattr(import_module(module), name)(*arguments, **named)
    except ModuleNotFoundError as error:
        missing = "" if error.name == package else f" completely: it needs {error.name}"
        raise Unavailable(f"{distribution} is not installed{missing}") from None
    except Exception as error:
        raise Unavailable(f"{distribution} does not work here: {error}") from None
