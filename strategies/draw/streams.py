"""Index streams: endless epochs of item indices, each computed from seed, epoch and position alone.

`IndexStream` is the interface that samplers read from. A stream of independent draws (`IndependentStream`) can compute any
position by itself; a stream whose draws depend on one another (`EpochStream`) generates a whole epoch at a time.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from functools import cache
from importlib.util import find_spec
from operator import index
from types import ModuleType
from typing import Protocol, SupportsIndex

import torch
from torch import Tensor

from strategies.draw.counter_rng import hash_key
from strategies.strategy_warning import warn_user

TORCH_CHUNK = 32_768
"""Positions that plain PyTorch computes at a time: temporaries of a whole epoch fall out of the cache and double the cost."""

CPU = torch.device("cpu")


class SlowSamplingWarning(UserWarning):
    """numba is not installed, so that samplers compute their indices in plain PyTorch: the same indices, more slowly."""


@cache
def compiled_loops() -> ModuleType | None:
    """Return the module of compiled CPU loops, None without numba: plain PyTorch then computes the same indices, more slowly."""
    return _import_or_none("strategies.draw.cpu_kernels")


@cache
def fused_kernels() -> ModuleType | None:
    """Return the module of CUDA kernels, None without Triton, which comes with PyTorch for CUDA."""
    return _import_or_none("strategies.draw.gpu_kernels")


def _import_or_none(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        return None


@cache
def warn_without_numba() -> None:
    """Warn, once per process, that sampling is slow because numba is not installed."""
    try:
        installed = find_spec("numba") is not None  # importing it would take a second
    except (ModuleNotFoundError, ValueError):  # blocked by an import hook, or by None in sys.modules
        installed = False
    if not installed:
        warn_user(
            "numba is not installed: on the CPU, samplers compute their indices in plain PyTorch, about 4 to 6 times more "
            'slowly. The indices are the same. To install numba: pip install "imbalance-bench[bench]"',
            SlowSamplingWarning,
        )


def whole_number(name: str, value: SupportsIndex, minimum: int | None = 1) -> int:
    """Return the argument `name` as an int; raise a ValueError that names it unless it is a whole number >= `minimum`."""
    number = None if isinstance(value, bool) or not isinstance(value, SupportsIndex) else index(value)
    if number is None or (minimum is not None and number < minimum):
        bound = "" if minimum is None else f" of at least {minimum}"
        raise ValueError(f"{name} must be a whole number{bound}; given: {value!r}")
    return number


def make_stream_key(seed: int, *tensors: Tensor) -> int:
    """Return the key of a stream: a hash of the seed and of what is sampled, such as class ids and weights.

    Samplers of one seed over different items or weights must not be copies of each other, hence the tensors. Up to 256
    numbers of each are hashed, rounded to 6 digits because last bits differ between machines.
    """
    parts: list[int | str] = [whole_number("seed", seed, minimum=None)]
    for tensor in tensors:
        every_nth = tensor[:: max(1, len(tensor) // 256)]
        parts += [len(tensor), *(f"{number:.6g}" for number in every_nth.double().tolist())]
    return hash_key(*parts)


class IndexStream(Protocol):
    """Endless epochs of indices into `items` items; the index at a position depends on stream key, epoch and position alone."""

    @property
    def items(self) -> int:
        """Number of items of the data set."""

    @property
    def stream_key(self) -> int:
        """A 64-bit hash of the seed and of what is sampled; two streams of one key are the same."""

    def length(self, epoch: int) -> int:
        """Return the number of positions of an epoch."""

    def indices_at(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        """Return the indices at these positions of an epoch, `(len(positions),)` int64; the same ones on every device."""


class IndependentStream(ABC):
    """A stream of independent draws with replacement: any position costs the same to compute, and an epoch has no set-up.

    Parameters
    ----------
    items
        Number of items of the data set.
    tables
        What the indices are looked up in, built on the CPU.
    num_samples
        Number of draws per epoch.
    stream_key
        See `make_stream_key`.
    """

    def __init__(self, items: int, tables: tuple[Tensor, ...], *, num_samples: int, stream_key: int) -> None:
        warn_without_numba()
        self.items, self.num_samples, self.stream_key = items, num_samples, stream_key
        self._tables = {CPU: tables}

    def length(self, epoch: int) -> int:
        return self.num_samples

    def tables(self, device: torch.device) -> tuple[Tensor, ...]:
        """Return the lookup tables on a device.

        They are copied from the CPU, not built anew: devices round alike, but do not add up in the same order.
        """
        if device not in self._tables:
            self._tables[device] = tuple(table.to(device) for table in self._tables[CPU])
        return self._tables[device]

    def indices_at(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        epoch_key = hash_key(self.stream_key, epoch)
        out = torch.empty(len(positions), dtype=torch.int64, device=device)
        kernels = compiled_loops() if device.type == "cpu" else fused_kernels() if device.type == "cuda" else None
        if kernels is not None:
            self._fill_compiled(kernels, epoch_key, positions, out)
            return out
        for at in range(0, len(out), TORCH_CHUNK):
            chunk = positions[at : at + TORCH_CHUNK]
            counters = torch.arange(chunk.start, chunk.stop, chunk.step, device=device)
            out[at : at + TORCH_CHUNK] = self.torch_indices(epoch_key, counters)
        return out

    @abstractmethod
    def torch_indices(self, epoch_key: int, positions: Tensor) -> Tensor:
        """Return the indices at `positions (n,)`, `(n,)` int64, computed in plain PyTorch on their device: the reference."""

    @abstractmethod
    def _fill_compiled(self, kernels: ModuleType, epoch_key: int, positions: range, out: Tensor) -> None:
        """Write the same indices to `out (n,)`, by a compiled loop or a fused kernel."""


class EpochStream(ABC):
    """A stream whose draws depend on one another: an epoch is generated as a whole on the CPU, and the last one is kept.

    Parameters
    ----------
    items
        Number of items of the data set.
    stream_key
        See `make_stream_key`.
    """

    def __init__(self, items: int, stream_key: int) -> None:
        self.items, self.stream_key = items, stream_key
        self._cached: tuple[int, Tensor] | None = None

    def length(self, epoch: int) -> int:
        return len(self._epoch(epoch))

    def indices_at(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        indices = self._epoch(epoch)
        if positions.stop > len(indices):
            # All ranks must take equally many indices: the last ones start again at the beginning of the epoch.
            wrapped = torch.arange(positions.start, positions.stop, positions.step) % len(indices)
            return indices[wrapped].to(device)
        return indices[positions.start : positions.stop : positions.step].to(device)

    def _epoch(self, epoch: int) -> Tensor:
        if self._cached is None or self._cached[0] != epoch:
            self._cached = epoch, self.generate_epoch(epoch)
        return self._cached[1]

    @abstractmethod
    def generate_epoch(self, epoch: int) -> Tensor:
        """Return the indices of an epoch, `(n,)` int64."""
