"""The row-lazy Adam of embedding tables as compiled loops: they touch what a batch names, and nothing else.

No fast-math: results must not depend on the processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from torch import Tensor


def gathered(words: Tensor, gradient: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Adds up the gradients of each word of a training at the first place where it stands.

    `words (S, M)`, `gradient (S, M, D)`, changed in place -> the places `(S, M)`, of which the first `count (S,)` are meant.
    """
    first, count = words.new_empty(words.shape), words.new_empty(len(words))
    place = np.full(vocabulary, -1, dtype=np.int32)
    _gather(words.numpy(), gradient.numpy(), place, first.numpy(), count.numpy())
    return first, count


def squares(gradient: Tensor, first: Tensor, count: Tensor) -> Tensor:
    """The squared length `(S,)` of each training's gathered gradient."""
    out = gradient.new_empty(len(gradient))
    _squares(gradient.numpy(), first.numpy(), count.numpy(), out.numpy())
    return out


def move(
    state: Tensor,
    words: Tensor,
    gradient: Tensor,
    first: Tensor,
    count: Tensor,
    rates: Tensor,
    scales: Tensor,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """One step of torch.optim.SparseAdam on the words gathered: `state (S, V, 3, D)` holds weights and both moments.

    A training's gradient counts `scales (S,)` times; `rates (S,)` hold the correction for early steps; at 0 nothing moves.
    """
    number = state.numpy().dtype.type
    of_batch = words.numpy(), gradient.numpy(), first.numpy(), count.numpy()
    constants = number(1 - beta1), number(beta2), number(1 - beta2), number(eps)
    _move(state.numpy(), *of_batch, rates.numpy(), scales.numpy(), *constants)


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(words: Any, gradient: Any, place: Any, first: Any, count: Any) -> None:
    S, M = words.shape
    for s in range(S):
        n = 0
        for m in range(M):
            word = words[s, m]
            if place[word] < 0:
                place[word] = m
                first[s, n] = m
                n += 1
            else:
                total, more = gradient[s, place[word]], gradient[s, m]
                for d in range(total.size):
                    total[d] += more[d]
        count[s] = n
        for k in range(n):
            place[words[s, first[s, k]]] = -1


@njit(cache=True, nogil=True, error_model="numpy")
def _squares(gradient: Any, first: Any, count: Any, out: Any) -> None:
    for s in range(out.size):
        total = 0.0
        for k in range(count[s]):
            row = gradient[s, first[s, k]]
            for d in range(row.size):
                total += np.float64(row[d]) * np.float64(row[d])
        out[s] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _move(
    state: Any,
    words: Any,
    gradient: Any,
    first: Any,
    count: Any,
    rates: Any,
    scales: Any,
    rise1: Any,
    beta2: Any,
    rise2: Any,
    eps: Any,
) -> None:
    for s in range(rates.size):
        rate, scale = rates[s], scales[s]
        if rate == 0:
            continue
        for k in range(count[s]):
            m = first[s, k]
            slope, of_word = gradient[s, m], state[s, words[s, m]]
            weight, mean, square = of_word[0], of_word[1], of_word[2]
            for d in range(slope.size):
                g = slope[d] * scale
                mean[d] += (g - mean[d]) * rise1
                square[d] = square[d] * beta2 + g * g * rise2
                weight[d] -= rate * mean[d] / (np.sqrt(square[d]) + eps)
