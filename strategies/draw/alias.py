"""Walker's alias table: a weighted draw from one uniform column, one uniform fraction and one comparison."""

from __future__ import annotations

import torch
from torch import Tensor


def alias_table(weights: Tensor) -> Tensor:
    """Return the alias table `(N, 2)` float64 of `weights (N,)`.

    To draw an item, choose a row i uniformly: with probability `table[i, 0]` it is item i, else item `table[i, 1]`.

    Walker (1977), Vose (1991); built from prefix sums, without a loop (the sweep of Huebschle-Schneider and Sanders, 2022).
    "Light" rows weigh less than the mean and must borrow the rest of their probability; "heavy" rows have some to spare.
    What the light rows borrow is laid end to end along what the heavy rows can spare. The prefix sums are integers, so a
    million of them loses no digit: the table reproduces probabilities to a relative 1e-10 up to 1e8 items. Item ids are
    exact up to 2^53.

    >>> alias_table(torch.tensor([1.0, 3.0])).tolist()
    [[0.5, 1.0], [1.0, 1.0]]
    """
    n = len(weights)
    share = weights.to(torch.float64) / weights.max()  # divided first: the sum could overflow, the quotient underflow
    share = share * (n / share.sum())
    table = torch.stack([torch.ones(n, dtype=torch.float64), torch.arange(n, dtype=torch.float64)], dim=1)
    light, heavy = torch.nonzero(share < 1).flatten(), torch.nonzero(share >= 1).flatten()
    unit = 2.0 ** (61 - n.bit_length())
    owed = ((1 - share[light]) * unit).round().long().cumsum(0)
    spare = ((share[heavy] - 1) * unit).round().long().cumsum(0)
    if not len(light) or not len(heavy) or not spare[-1]:  # all weights are equal, up to rounding
        return table
    # The two totals differ by rounding: the difference is spread over all heavy rows, so that no single item bears it.
    spare += ((owed[-1] - spare[-1]) * (spare.double() / spare[-1].double())).round().long()
    spare[-1] = owed[-1]
    before = torch.cat([owed.new_zeros(1), owed[:-1]])
    table[light, 0] = share[light]
    table[light, 1] = heavy[torch.searchsorted(spare, before, right=True).clamp_max(len(heavy) - 1)].double()
    # A light row may borrow beyond the end of a heavy one: the heavy row then passes on to the next heavy row as much of
    # its own probability as was borrowed too much.
    last = torch.searchsorted(owed, spare[:-1], right=True).clamp_max(len(light) - 1)
    beyond = torch.where(before[last] < spare[:-1], owed[last] - spare[:-1], 0).clamp_min(0)
    table[heavy[:-1], 0] = 1 - beyond.double() / unit
    table[heavy[:-1], 1] = heavy[1:].double()
    return table
