"""The row-lazy Adam of embedding tables as compiled loops over the words of a batch; other words are not touched.

Without numba's fastmath, which would let results depend on the processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from torch import Tensor


def sum_by_word(words: Tensor, gradient: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Sum the gradients of each distinct word of a run, in place.

    `words (S, M)`, `gradient (S, M, D)` -> `first (S, M)`, `count (S,)`: run s has `count[s]` distinct words; the k-th of them
    first occurs at position `first[s, k]`, where `gradient` then holds its sum.
    """
    first, count = words.new_empty(words.shape), words.new_empty(len(words))
    position_of = np.full(vocabulary, -1, dtype=np.int32)
    _sum_by_word(words.numpy(), gradient.numpy(), position_of, first.numpy(), count.numpy())
    return first, count


def squared_norm(gradient: Tensor, first: Tensor, count: Tensor) -> Tensor:
    """Return the squared norm `(S,)` of each run's gradient, once it is summed by word."""
    out = gradient.new_empty(len(gradient))
    _squared_norm(gradient.numpy(), first.numpy(), count.numpy(), out.numpy())
    return out


def adam_step(
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
    """Take one step of torch.optim.SparseAdam on the words of a batch: `state (S, V, 3, D)` holds weights and both moments.

    A run's gradient is multiplied by `scales (S,)`; `rates (S,)` include Adam's bias corrections, and 0 freezes a run.
    """
    # The constants take the table's own type: numba would otherwise compute in float64 and round differently from torch.
    number = state.numpy().dtype.type
    batch = words.numpy(), gradient.numpy(), first.numpy(), count.numpy()
    constants = number(1 - beta1), number(beta2), number(1 - beta2), number(eps)
    _adam_step(state.numpy(), *batch, rates.numpy(), scales.numpy(), *constants)


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_by_word(words: Any, gradient: Any, position_of: Any, first: Any, count: Any) -> None:
    S, M = words.shape
    for s in range(S):
        n = 0
        for m in range(M):
            word = words[s, m]
            if position_of[word] < 0:
                position_of[word] = m
                first[s, n] = m
                n += 1
            else:
                total, more = gradient[s, position_of[word]], gradient[s, m]
                for d in range(total.size):
                    total[d] += more[d]
        count[s] = n
        for k in range(n):  # cheaper than clearing the whole vocabulary for the next run
            position_of[words[s, first[s, k]]] = -1


@njit(cache=True, nogil=True, error_model="numpy")
def _squared_norm(gradient: Any, first: Any, count: Any, out: Any) -> None:
    for s in range(out.size):
        total = 0.0
        for k in range(count[s]):
            row = gradient[s, first[s, k]]
            for d in range(row.size):
                total += np.float64(row[d]) * np.float64(row[d])
        out[s] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _adam_step(
    state: Any,
    words: Any,
    gradient: Any,
    first: Any,
    count: Any,
    rates: Any,
    scales: Any,
    one_minus_beta1: Any,
    beta2: Any,
    one_minus_beta2: Any,
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
                mean[d] += (g - mean[d]) * one_minus_beta1
                square[d] = square[d] * beta2 + g * g * one_minus_beta2
                weight[d] -= rate * mean[d] / (np.sqrt(square[d]) + eps)
