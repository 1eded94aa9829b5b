"""CUDA kernels (Triton) for `by_class` and `by_weight`, one each: bit for bit the indices of plain PyTorch.

A third one, `read_random_places`, is the lower bound that their speed is compared with.

They are launched without fused multiply-adds, which would round once where plain PyTorch rounds twice.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from strategies.draw import counter_rng
from strategies.draw.counter_rng import as_signed

_GOLDEN, _FIRST, _SECOND = (
    tl.constexpr(constant) for constant in (counter_rng.GOLDEN, counter_rng.FIRST, counter_rng.SECOND)
)
_UNIT = tl.constexpr(counter_rng.UNIT)
_BLOCK = 1024


def by_class(
    key: int, start: int, step: int, kept: Tensor, spans: Tensor, members: Tensor, equal: bool, out: Tensor
) -> None:
    """Fill `out (n,)` on the tables' device with the indices at positions start, start + step, ...; tables as in `ByClass`."""
    _by_class[_grid(out)](
        out,
        kept,
        spans,
        members,
        as_signed(key),
        start,
        step,
        len(kept),
        len(out),
        BLOCK=_BLOCK,
        enable_fp_fusion=False,
    )


def by_weight(key: int, start: int, step: int, table: Tensor, out: Tensor) -> None:
    """Fill `out (n,)` on the table's device with the indices at positions start, start + step, ...; `table (N, 2)`."""
    _by_weight[_grid(out)](
        out, table, as_signed(key), start, step, len(table), len(out), BLOCK=_BLOCK, enable_fp_fusion=False
    )


def read_random_places(key: int, start: int, step: int, members: Tensor, out: Tensor) -> None:
    """Fill `out (n,)` with reads of random places of `members (N,)`: the lower bound of the cost of a draw, for speed tests."""
    _read_random_places[_grid(out)](
        out, members, as_signed(key), start, step, len(members), len(out), BLOCK=_BLOCK, enable_fp_fusion=False
    )


def _grid(out: Tensor) -> tuple[int]:
    return (triton.cdiv(len(out), _BLOCK),)


@triton.jit
def _uniform(key, counter):
    mixed = counter * _GOLDEN + key
    mixed = (mixed ^ (mixed >> 30)) * _FIRST
    mixed = (mixed ^ (mixed >> 27)) * _SECOND
    return ((mixed ^ (mixed >> 31)) >> 11).to(tl.int64).to(tl.float64) * _UNIT


@triton.jit(do_not_specialize=["key", "start", "step", "classes", "n"])
def _by_class(out, kept, spans, members, key, start, step, classes, n, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    position = start.to(tl.int64) + i * step.to(tl.int64)
    column = _uniform(key.to(tl.int64).to(tl.uint64), position.to(tl.uint64)) * classes.to(tl.float64)
    first = column.to(tl.int64)
    fraction = column - first.to(tl.float64)
    inside = i < n
    span = 2 * first + (fraction >= tl.load(kept + first, mask=inside)).to(tl.int64)
    begins, scale = tl.load(spans + span, mask=inside), tl.load(spans + 2 * classes + span, mask=inside)
    begin, last = tl.load(spans + 4 * classes + span, mask=inside), tl.load(spans + 6 * classes + span, mask=inside)
    member = tl.minimum(tl.floor((fraction - begins) * scale), last) + begin
    tl.store(out + i, tl.load(members + member.to(tl.int64), mask=inside).to(tl.int64), mask=inside)


@triton.jit(do_not_specialize=["key", "start", "step", "items", "n"])
def _by_weight(out, table, key, start, step, items, n, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    counter = 2 * (start.to(tl.int64) + i * step.to(tl.int64))
    word = key.to(tl.int64).to(tl.uint64)
    column = (_uniform(word, counter.to(tl.uint64)) * items.to(tl.float64)).to(tl.int64)
    fraction = _uniform(word, (counter + 1).to(tl.uint64))
    inside = i < n
    threshold, other = tl.load(table + 2 * column, mask=inside), tl.load(table + 2 * column + 1, mask=inside)
    tl.store(out + i, tl.where(fraction < threshold, column, other.to(tl.int64)), mask=inside)


@triton.jit(do_not_specialize=["key", "start", "step", "items", "n"])
def _read_random_places(out, members, key, start, step, items, n, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    position = start.to(tl.int64) + i * step.to(tl.int64)
    place = _uniform(key.to(tl.int64).to(tl.uint64), position.to(tl.uint64)) * items.to(tl.float64)
    inside = i < n
    tl.store(out + i, tl.load(members + place.to(tl.int64), mask=inside).to(tl.int64), mask=inside)
