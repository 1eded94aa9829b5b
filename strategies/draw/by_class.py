"""Draws with weights that are constant inside a class: first the class, then a member of it, with replacement."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from strategies.draw.alias import alias_table
from strategies.draw.counter_rng import uniforms
from strategies.draw.streams import WithReplacement, stream_of


class ByClass(WithReplacement):
    """Item i of class y is drawn with probability `shares[y] / n_y`; position j takes word j.

    A column of the classes' alias table is chosen, then what is left of the same uniform number chooses the member, so that
    probabilities are right to `N C / 2^53`, as with one 53-bit number on a cumulative sum of float64. `classes (N,)` are class
    ids, negative for an item that is never drawn, `counts (C,)` how many each class has, `shares (C,)` need not add up to 1.
    Members take 4 bytes an item below 2^31 items.

    >>> classes, counts = torch.tensor([0, 0, 0, 1]), torch.tensor([3, 1])
    >>> drawn = ByClass(classes, counts, torch.tensor([0.5, 0.5]), draws=1000, seed=0).take(0, range(1000))
    >>> abs((drawn == 3).double().mean().item() - 0.5) < 0.05
    True
    """

    def __init__(self, classes: Tensor, counts: Tensor, shares: Tensor, *, draws: int, seed: int) -> None:
        members = _by_class(classes, len(counts), int(counts.sum()))
        present = torch.nonzero((counts > 0) & (shares > 0)).flatten()
        table = alias_table(shares[present])
        kept, other = table[:, 0].contiguous(), table[:, 1].long()
        # Span 2c is the part of column c that class c keeps, span 2c + 1 the other class's: where the part begins,
        # members for each unit of it, where they begin, and the last of them.
        which = torch.stack([torch.arange(len(present)), other], dim=1).flatten()
        begins = torch.stack([torch.zeros_like(kept), kept], dim=1).flatten()
        widths = torch.stack([kept, 1 - kept], dim=1).flatten()
        count = counts[present].double()[which]
        start = (counts.cumsum(0) - counts)[present].double()[which]
        spans = torch.stack([begins, torch.where(widths > 0, count / widths, 0), start, count - 1])
        stream = stream_of(seed, members, counts, shares / shares.sum())
        super().__init__(len(classes), (kept, spans, members), draws=draws, stream=stream)
        self.equal = bool((kept == 1).all())

    def indices(self, key: int, positions: Tensor) -> Tensor:
        kept, spans, members = self.tables(positions.device)
        column = uniforms(key, positions).mul_(len(kept))
        whole = column.floor()
        first, fraction = whole.to(torch.int64), column.sub_(whole)
        if self.equal:
            row = first.mul_(2)
        else:
            row = (fraction >= kept.index_select(0, first)).add(first.mul_(2))
            fraction.sub_(spans[0].index_select(0, row))
        member = fraction.mul_(spans[1].index_select(0, row)).floor_()
        if not self.equal:
            member = member.minimum(spans[3].index_select(0, row))
        member.add_(spans[2].index_select(0, row))
        return members.index_select(0, member.to(torch.int64)).to(torch.int64)

    def _fill(self, fast: ModuleType, key: int, positions: range, out: Tensor) -> None:
        fast.by_class(key, positions.start, positions.step, *self.tables(out.device), self.equal, out)


def _by_class(classes: Tensor, num_classes: int, labelled: int) -> Tensor:
    """The `labelled` items of classes from 0, sorted by class, in their own order within one."""
    # Small types are sorted by radix, in one or two passes.
    small = torch.int8 if num_classes < 2**7 else torch.int16 if num_classes < 2**15 else torch.int64
    order = np.argsort(classes.to(small).numpy(), kind="stable")[len(classes) - labelled :]
    # numpy asks for huge pages where torch does not: a fifth off every draw at 10 million items.
    return torch.from_numpy(order.astype(np.int32 if len(classes) < 2**31 else np.int64))
