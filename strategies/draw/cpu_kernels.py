"""Compiled CPU loops (numba) for `by_class`, `by_weight` and `sentence_weights`: bit for bit the results of plain PyTorch.

Each block of uniform numbers is computed first and looked up afterwards, and stays in the cache in between: the compiler turns
loops without branches into vector instructions. Unsigned indices spare the test for negative ones. No fast-math: results must
not depend on the processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, uint64
from torch import Tensor

from strategies.draw.counter_rng import FIRST, GOLDEN, SECOND, UNIT

_GOLDEN, _FIRST, _SECOND = np.uint64(GOLDEN), np.uint64(FIRST), np.uint64(SECOND)
_BLOCK = 4096


def by_class(
    key: int, start: int, step: int, kept: Tensor, spans: Tensor, members: Tensor, equal: bool, out: Tensor
) -> None:
    """Fill `out (n,)` with the indices at positions start, start + step, ...; tables as in `ByClass`."""
    where = np.uint64(key), np.uint64(start), np.uint64(step)
    if equal:
        _by_equal_class(*where, spans.numpy(), members.numpy(), out.numpy())
    else:
        _by_class(*where, kept.numpy(), spans.numpy(), members.numpy(), out.numpy())


def by_weight(key: int, start: int, step: int, table: Tensor, out: Tensor) -> None:
    """Fill `out (n,)` with the indices at positions start, start + step, ...; `table (N, 2)` as in `ByWeight`."""
    _by_weight(np.uint64(key), np.uint64(start), np.uint64(step), table.flatten().numpy(), out.numpy())


def segment_means(of_class: Tensor, values: Tensor, offsets: Tensor, out: Tensor) -> None:
    """Fill `out (N,)` with the mean of `of_class (C,)` over each item's labels; -inf for an item without one."""
    _segment_means(of_class.numpy(), values.numpy(), offsets.numpy(), out.numpy())


def read_random_places(key: int, start: int, step: int, members: Tensor, out: Tensor) -> None:
    """Fill `out (n,)` with reads of random places of `members (N,)`: the lower bound of the cost of a draw, for speed tests."""
    _read_random_places(np.uint64(key), np.uint64(start), np.uint64(step), members.numpy(), out.numpy())


@njit(inline="always")
def _uniform(mixed: Any) -> Any:
    """Return the uniform number of the word for which counter x GOLDEN + key is `mixed`."""
    mixed = (mixed ^ (mixed >> uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> uint64(27))) * _SECOND
    return np.float64((mixed ^ (mixed >> uint64(31))) >> uint64(11)) * UNIT


@njit(inline="always")
def _uniforms(base: Any, stride: Any, begin: Any, n: Any, below: Any, out: Any) -> None:
    """Fill `out[:n]` with uniform numbers below `below`, from the word at `base + begin * stride` on."""
    first = base + uint64(begin) * stride
    for i in range(n):
        out[i] = _uniform(first + uint64(i) * stride) * below


@njit(cache=True, nogil=True, error_model="numpy")
def _by_class(key: Any, start: Any, step: Any, kept: Any, spans: Any, members: Any, out: Any) -> None:
    column = np.empty(_BLOCK)
    for begin in range(0, out.size, _BLOCK):
        n = min(_BLOCK, out.size - begin)
        _uniforms(key + start * _GOLDEN, step * _GOLDEN, begin, n, np.float64(kept.size), column)
        for i in range(n):
            first = uint64(column[i])
            fraction = column[i] - np.float64(first)
            span = uint64(2) * first + uint64(fraction >= kept[first])
            member = np.floor((fraction - spans[0, span]) * spans[1, span])
            out[begin + i] = members[uint64(spans[2, span] + min(member, spans[3, span]))]


@njit(cache=True, nogil=True, error_model="numpy")
def _by_equal_class(key: Any, start: Any, step: Any, spans: Any, members: Any, out: Any) -> None:
    """The same where all shares are equal: no column has an alias, so that less of the table is read."""
    column = np.empty(_BLOCK)
    for begin in range(0, out.size, _BLOCK):
        n = min(_BLOCK, out.size - begin)
        _uniforms(key + start * _GOLDEN, step * _GOLDEN, begin, n, np.float64(spans.shape[1] // 2), column)
        for i in range(n):
            first = uint64(column[i])
            member = np.floor((column[i] - np.float64(first)) * spans[1, uint64(2) * first])
            out[begin + i] = members[uint64(spans[2, uint64(2) * first] + member)]


@njit(cache=True, nogil=True, error_model="numpy")
def _by_weight(key: Any, start: Any, step: Any, table: Any, out: Any) -> None:
    column, fraction = np.empty(_BLOCK), np.empty(_BLOCK)
    base, stride = key + uint64(2) * start * _GOLDEN, uint64(2) * step * _GOLDEN
    for begin in range(0, out.size, _BLOCK):
        n = min(_BLOCK, out.size - begin)
        _uniforms(base, stride, begin, n, np.float64(table.size // 2), column)
        _uniforms(base + _GOLDEN, stride, begin, n, 1.0, fraction)
        for i in range(n):
            row = uint64(2) * uint64(column[i])
            other = table[row + uint64(1)]
            out[begin + i] = np.int64(np.floor(column[i]) if fraction[i] < table[row] else other)


@njit(cache=True, nogil=True, error_model="numpy")
def _segment_means(of_class: Any, values: Any, offsets: Any, out: Any) -> None:
    for i in range(out.size):
        total, count = 0.0, 0
        for at in range(offsets[i], offsets[i + 1]):
            if values[at] >= 0:  # else PAD, which is no label
                total += of_class[values[at]]
                count += 1
        out[i] = total / count if count else -np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _read_random_places(key: Any, start: Any, step: Any, members: Any, out: Any) -> None:
    items = np.float64(members.size)
    base, stride = key + start * _GOLDEN, step * _GOLDEN
    for i in range(out.size):
        out[i] = members[uint64(_uniform(base + uint64(i) * stride) * items)]
