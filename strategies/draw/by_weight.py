"""Sampling with a weight per item, with replacement."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from strategies.draw.alias import alias_table
from strategies.draw.counter_rng import uniforms
from strategies.draw.streams import IndependentStream, make_stream_key


class ByWeight(IndependentStream):
    """A stream in which item i has a probability proportional to `weights[i]`.

    Position j uses two random words: word 2j chooses a row of the alias table, word 2j + 1 whether the row's own item is
    kept. The table takes 16 bytes per item: probability and alias lie side by side, so that a draw reads one place.

    Parameters
    ----------
    weights
        One weight per item, `(N,)`: finite, not negative, not all 0.
    num_samples
        Number of draws per epoch.
    seed
        Any whole number.

    Examples
    --------
    >>> index = ByWeight(torch.tensor([1.0, 0.0, 3.0]), num_samples=1000, seed=0).indices_at(0, range(1000))
    >>> torch.bincount(index, minlength=3)[1].item(), abs((index == 2).double().mean().item() - 0.75) < 0.05
    (0, True)
    """

    def __init__(self, weights: Tensor, *, num_samples: int, seed: int) -> None:
        stream_key = make_stream_key(seed, weights)
        super().__init__(len(weights), (alias_table(weights),), num_samples=num_samples, stream_key=stream_key)

    def torch_indices(self, epoch_key: int, positions: Tensor) -> Tensor:
        (table,) = self.tables(positions.device)
        row = uniforms(epoch_key, positions * 2).mul_(self.items).to(torch.int64)
        entries = table.index_select(0, row)
        fraction = uniforms(epoch_key, positions * 2 + 1)
        return torch.where(fraction < entries[:, 0], row, entries[:, 1].to(torch.int64))

    def _fill_compiled(self, kernels: ModuleType, epoch_key: int, positions: range, out: Tensor) -> None:
        kernels.by_weight(epoch_key, positions.start, positions.step, *self.tables(out.device), out)
