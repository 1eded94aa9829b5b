"""What every way of drawing offers: the indices at any positions of any epoch."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from functools import cache
from types import ModuleType
from typing import Protocol

import torch
from torch import Tensor

from strategies.draw.words import key_of

PIECE = 32_768
"""Positions that plain torch draws at a time: temporaries of a whole epoch fall out of the cache and double the cost."""


CPU = torch.device("cpu")


@cache
def compiled_loops() -> ModuleType | None:
    """The compiled loops of the CPU; None without numba, where plain torch draws the same indices, slower."""
    return _found("strategies.draw.compiled")


@cache
def fused_kernels() -> ModuleType | None:
    """The kernels of CUDA; None without Triton, which comes with torch for CUDA."""
    return _found("strategies.draw.fused")


def _found(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        return None


class Draws(Protocol):
    """Epochs without end of `items` items; the index at a position depends on seed, epoch and position alone."""

    @property
    def items(self) -> int:
        """Items of the data set."""

    def length(self, epoch: int) -> int:
        """Positions of an epoch."""

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        """The indices at these positions of an epoch, `(len(positions),)` int64; the same ones on every device."""


class WithReplacement(ABC):
    """Draws whose positions are independent: each costs the same wherever it lies, and an epoch has no set-up."""

    def __init__(self, items: int, tables: tuple[Tensor, ...], *, draws: int, seed: int) -> None:
        self.items, self.draws, self.seed = items, draws, seed
        self._tables = {CPU: tables}

    def length(self, epoch: int) -> int:
        return self.draws

    def tables(self, device: torch.device) -> tuple[Tensor, ...]:
        """What draws are read from. Built once, on the CPU: devices round alike, but do not add up alike."""
        if device not in self._tables:
            self._tables[device] = tuple(each.to(device) for each in self._tables[CPU])
        return self._tables[device]

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        key = key_of("draw", self.seed, epoch)
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

    def __init__(self, items: int, seed: int) -> None:
        self.items, self.seed = items, seed
        self._made: tuple[int, Tensor] | None = None

    def length(self, epoch: int) -> int:
        return len(self._epoch(epoch))

    def take(self, epoch: int, positions: range, device: torch.device = CPU) -> Tensor:
        return self._epoch(epoch)[positions.start : positions.stop : positions.step].to(device)

    def _epoch(self, epoch: int) -> Tensor:
        if self._made is None or self._made[0] != epoch:
            self._made = epoch, self.make(key_of("epoch", self.seed, epoch))
        return self._made[1]

    @abstractmethod
    def make(self, key: int) -> Tensor:
        """The indices of the epoch with this key, `(n,)` int64."""
