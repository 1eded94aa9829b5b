"""Samplers of others: PyTorch's, numpy's, and those of packages that may be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset, WeightedRandomSampler

from bench.speed.samplers.items import MIX, Items
from bench.speed.samplers.streams import Integers, Pieces, Stream
from strategies.draw.streams import CPU
from strategies.sample.weighted_random_sampler import MAX_ITEMS as MOST

MULTINOMIAL, WEIGHTED_RANDOM = "torch.multinomial", "torch WeightedRandomSampler"
FEW = 2560
"""Draws of an epoch of MPerClassSampler, each of which can take a millisecond."""


class Unavailable(Exception):  # noqa: N818  (a fact, not an error)
    """Why something cannot be measured here."""


def multinomial(items: Items, device: torch.device = CPU) -> Stream:
    """`torch.multinomial` in float64, an epoch at a time: the reference of all ratios."""
    _at_most(items)
    weights, generator = items.weights.to(device), torch.Generator(device).manual_seed(0)

    def draw(size: int) -> Iterator[Tensor]:
        yield from torch.multinomial(weights, items.items, replacement=True, generator=generator).split(size)

    return Pieces(draw, items.items)


def _multinomial_once(items: Items) -> Stream:
    _at_most(items)
    draws, generator = max(1, items.items // 10), torch.Generator().manual_seed(0)

    def draw(size: int) -> Iterator[Tensor]:
        yield from torch.multinomial(items.weights, draws, replacement=False, generator=generator).split(size)

    return Pieces(draw, draws)


def _weighted_random(items: Items) -> Stream:
    _at_most(items)
    generator = torch.Generator().manual_seed(0)
    # It takes any sequence of numbers, though it asks for a list.
    sampler = WeightedRandomSampler(items.weights, items.items, generator=generator)  # type: ignore[arg-type]
    return Integers(sampler, items.items)


def _choice(items: Items) -> Stream:
    rng, p = np.random.default_rng(0), (items.weights / items.weights.sum()).numpy()

    def draw(size: int) -> Iterator[Tensor]:
        yield from torch.from_numpy(rng.choice(items.items, items.items, p=p)).split(size)

    return Pieces(draw, items.items)


def _torchsampler(items: Items) -> Stream:
    _at_most(items)
    made = _made("torchsampler", "ImbalancedDatasetSampler", TensorDataset(items.labels), labels=items.labels.tolist())
    return Integers(made, items.items)


def _catalyst(items: Items) -> Stream:
    mode = max(1, items.items // len(MIX))
    made = _made("catalyst.data.sampler", "BalanceClassSampler", items.labels.tolist(), mode=mode)
    return Integers(made, len(made))


def _metric_learning(items: Items) -> Stream:
    module = "pytorch_metric_learning.samplers"
    made = _made(module, "MPerClassSampler", items.labels, m=4, length_before_new_iter=FEW)
    return Integers(made, len(made))


PEERS: dict[str, Callable[[Items], Stream]] = {
    MULTINOMIAL: multinomial,
    f"{MULTINOMIAL}(N/10 once)": _multinomial_once,
    WEIGHTED_RANDOM: _weighted_random,
    "numpy Generator.choice": _choice,
    "torchsampler": _torchsampler,
    "catalyst BalanceClassSampler": _catalyst,
    "MPerClassSampler": _metric_learning,
}


def _at_most(items: Items) -> None:
    if items.items > MOST:
        raise Unavailable(f"torch.multinomial stops at 2^24 = {MOST:,} items")


def _made(module: str, name: str, *given: Any, **named: Any) -> Any:
    """A sampler of a package that may be missing, or unfit for this torch."""
    package = module.partition(".")[0]
    known_as = package.replace("_", "-")
    try:
        return getattr(import_module(module), name)(*given, **named)
    except ModuleNotFoundError as error:
        missing = "" if error.name == package else f" whole: it needs {error.name}"
        raise Unavailable(f"{known_as} is not installed{missing}") from None
    except Exception as error:
        raise Unavailable(f"{known_as} does not work here: {error}") from None
