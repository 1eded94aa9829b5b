"""What every way of drawing offers: the indices at any positions of any epoch."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from functools import cache
from operator import index
from types import ModuleType
from typing import Protocol, SupportsIndex

import torch
from torch import Tensor

from strategies.draw.counter_rng import key_of

PIECE = 32_768
"""Positions that plain torch draws at a time: temporaries of a whole epoch fall out of the cache and double the cost."""


CPU = torch.device("cpu")


@cache
def compiled_loops() -> ModuleType | None:
    """The compiled loops of the CPU; None without numba, where plain torch draws the same indices, slower."""
    return _found("strategies.draw.cpu_kernels")


@cache
def fused_kernels() -> ModuleType | None:
    """The kernels of CUDA; None without Triton, which comes with torch for CUDA."""
    return _found("strategies.draw.gpu_kernels")


def _found(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        return None


def whole(name: str, value: SupportsIndex, least: int | None = 1) -> int:
    """The whole number that an argument is, at least `least`; a ValueError names the argument where it is none."""
    number = None if isinstance(value, bool) or not isinstance(value, SupportsIndex) else index(value)
    if number is None or (least is not None and number < least):
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name} must be a whole number{bound}; given: {value!r}")
    return number


def stream_of(seed: int, *of: Tensor) -> int:
    """The stream of a seed for draws of just these items and weights: samplers of one seed must not be copies of each other.

    Up to 256 numbers of each tensor tell them apart; rounded, because last bits differ between machines.
    """
    parts: list[int | str] = [whole("seed", seed, least=None)]
    for each in of:
        parts += [len(each), *(f"{number:.6g}" for number in each[:: max(1, len(each) // 256)].double().tolist())]
    return key_of(*parts)


class Draws(Protocol):
    """Epochs without end of `items` items; the index at a position depends on seed, epoch and position alone."""

    @property
    def items(self) -> int:
        """Items of the data set."""

    @property
    def stream(self) -> int:
        """What the draws depend on beside epoch and position: the seed, and what is drawn by which weights."""

    def length(self, epoch: int) -> int:
        """Positions of an epoch."""

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        """The indices at these positions of an epoch, `(len(positions),)` int64; the same ones on every device."""


class WithReplacement(ABC):
    """Draws whose positions are independent: each costs the same wherever it lies, and an epoch has no set-up."""

    def __init__(self, items: int, tables: tuple[Tensor, ...], *, draws: int, stream: int) -> None:
        self.items, self.draws, self.stream = items, draws, stream
        self._tables = {CPU: tables}

    def length(self, epoch: int) -> int:
        return self.draws

    def tables(self, device: torch.device) -> tuple[Tensor, ...]:
        """What draws are read from. Built once, on the CPU: devices round alike, but do not add up alike."""
        if device not in self._tables:
            self._tables[device] = tuple(each.to(device) for each in self._tables[CPU])
        return self._tables[device]

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        key = key_of(self.stream, epoch)
        out = torch.empty(len(positions), dtype=torch.int64, device=device)
        fast = compiled_loops() if device.type == "cpu" else fused_kernels() if device.type == "cuda" else None
        if fast is not None:
            self._fill(fast, key, positions, out)
            return out
        for at in range(0, len(out), PIECE):
            piece = positions[at : at + PIECE]
            out[at : at + PIECE] = self.indices(key, torch.arange(piece.start, piece.stop, piece.step, device=device))
        return out

    @abstractmethod
    def indices(self, key: int, positions: Tensor) -> Tensor:
        """The reference in plain torch, on the device of `positions (n,)`: their indices, `(n,)` int64."""

    @abstractmethod
    def _fill(self, fast: ModuleType, key: int, positions: range, out: Tensor) -> None:
        """The same into `out (n,)`, by a compiled loop or a fused kernel."""


class WholeEpochs(ABC):
    """Draws that hang together: an epoch is made at once, on the CPU, and the last one made is kept."""

    def __init__(self, items: int, stream: int) -> None:
        self.items, self.stream = items, stream
        self._made: tuple[int, Tensor] | None = None

    def length(self, epoch: int) -> int:
        return len(self._epoch(epoch))

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        drawn = self._epoch(epoch)
        if positions.stop > len(drawn):  # ranks that must draw equally many go round
            return drawn[torch.arange(positions.start, positions.stop, positions.step) % len(drawn)].to(device)
        return drawn[positions.start : positions.stop : positions.step].to(device)

    def _epoch(self, epoch: int) -> Tensor:
        if self._made is None or self._made[0] != epoch:
            self._made = epoch, self.make(epoch)
        return self._made[1]

    @abstractmethod
    def make(self, epoch: int) -> Tensor:
        """The indices of an epoch, `(n,)` int64."""
