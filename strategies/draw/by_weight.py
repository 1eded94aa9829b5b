"""Draws with a weight of its own for every item, with replacement."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from strategies.draw.alias import alias_table
from strategies.draw.counter_rng import uniforms
from strategies.draw.streams import WithReplacement, stream_of


class ByWeight(WithReplacement):
    """Item i is drawn in proportion to `weights[i]`; position j takes words 2j (column of the alias table) and 2j + 1 (fraction).

    The table takes 16 bytes an item: the threshold and the other item side by side, so that a draw reads one place.

    >>> drawn = ByWeight(torch.tensor([1.0, 0.0, 3.0]), draws=1000, seed=0).take(0, range(1000))
    >>> torch.bincount(drawn, minlength=3)[1].item(), abs((drawn == 2).double().mean().item() - 0.75) < 0.05
    (0, True)
    """

    def __init__(self, weights: Tensor, *, draws: int, seed: int) -> None:
        super().__init__(len(weights), (alias_table(weights),), draws=draws, stream=stream_of(seed, weights))

    def indices(self, key: int, positions: Tensor) -> Tensor:
        (table,) = self.tables(positions.device)
        column = uniforms(key, positions * 2).mul_(self.items).to(torch.int64)
        rows = table.index_select(0, column)
        fraction = uniforms(key, positions * 2 + 1)
        return torch.where(fraction < rows[:, 0], column, rows[:, 1].to(torch.int64))

    def _fill(self, fast: ModuleType, key: int, positions: range, out: Tensor) -> None:
        fast.by_weight(key, positions.start, positions.step, *self.tables(out.device), out)
