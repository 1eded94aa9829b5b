"""Sampling with weights that are constant within a class: first the class, then one of its members, with replacement."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from strategies.draw.alias import alias_table
from strategies.draw.counter_rng import uniforms
from strategies.draw.streams import IndependentStream, make_stream_key


class ByClass(IndependentStream):
    """A stream in which an item of class y has probability `shares[y] / n_y`; position j uses random word j.

    One uniform number chooses a column of the alias table of the classes; what is left of the same number chooses the
    member. Probabilities are therefore right to a relative `N C / 2^53`, as they are for one 53-bit number on a cumulative
    sum in float64. The list of members takes 4 bytes per item below 2^31 items, 8 above.

    Parameters
    ----------
    classes
        Class id of every item, `(N,)`; negative for an item that is never sampled.
    counts
        Number of items of each class, `(C,)`.
    shares
        Share of the draws that each class gets, `(C,)`; it need not sum to 1.
    num_samples
        Number of draws per epoch.
    seed
        Any whole number.

    Examples
    --------
    >>> classes, counts = torch.tensor([0, 0, 0, 1]), torch.tensor([3, 1])
    >>> stream = ByClass(classes, counts, torch.tensor([0.5, 0.5]), num_samples=1000, seed=0)
    >>> index = stream.indices_at(0, range(1000))
    >>> abs((index == 3).double().mean().item() - 0.5) < 0.05
    True
    """

    def __init__(self, classes: Tensor, counts: Tensor, shares: Tensor, *, num_samples: int, seed: int) -> None:
        members = _items_by_class(classes, len(counts), int(counts.sum()))
        present = torch.nonzero((counts > 0) & (shares > 0)).flatten()
        table = alias_table(shares[present])
        keep_probability, alias = table[:, 0].contiguous(), table[:, 1].long()

        # Each column c of the alias table is cut into two spans, so that a draw needs no branch: span 2c, from 0 to the
        # probability of keeping c, belongs to class c itself; span 2c + 1, from there to 1, to its alias.
        columns = len(present)
        class_of_span = torch.stack([torch.arange(columns), alias], dim=1).flatten()
        span_begin = torch.stack([torch.zeros_like(keep_probability), keep_probability], dim=1).flatten()
        span_width = torch.stack([keep_probability, 1 - keep_probability], dim=1).flatten()

        # Where a uniform number falls within its span says which member is drawn: members per unit of width.
        members_of_span = counts[present].double()[class_of_span]
        members_per_unit = torch.where(span_width > 0, members_of_span / span_width, 0)
        first_member = (counts.cumsum(0) - counts)[present].double()[class_of_span]
        # The last member is a bound: rounding could step just beyond it, to the next class.
        spans = torch.stack([span_begin, members_per_unit, first_member, members_of_span - 1])

        stream_key = make_stream_key(seed, members, counts, shares / shares.sum())
        super().__init__(
            len(classes), (keep_probability, spans, members), num_samples=num_samples, stream_key=stream_key
        )
        self.has_equal_shares = bool((keep_probability == 1).all())
        """Whether all classes have the same share: no column has an alias then, and less of the table is read."""

    def torch_indices(self, epoch_key: int, positions: Tensor) -> Tensor:
        keep_probability, spans, members = self.tables(positions.device)
        scaled = uniforms(epoch_key, positions).mul_(len(keep_probability))
        floor = scaled.floor()
        column, fraction = floor.to(torch.int64), scaled.sub_(floor)
        if self.has_equal_shares:
            span = column.mul_(2)
        else:
            is_alias = fraction >= keep_probability.index_select(0, column)
            span = is_alias.add(column.mul_(2))
            fraction.sub_(spans[0].index_select(0, span))
        member = fraction.mul_(spans[1].index_select(0, span)).floor_()
        if not self.has_equal_shares:
            member = member.minimum(spans[3].index_select(0, span))
        member.add_(spans[2].index_select(0, span))
        return members.index_select(0, member.to(torch.int64)).to(torch.int64)

    def _fill_compiled(self, kernels: ModuleType, epoch_key: int, positions: range, out: Tensor) -> None:
        tables = self.tables(out.device)
        kernels.by_class(epoch_key, positions.start, positions.step, *tables, self.has_equal_shares, out)


def _items_by_class(classes: Tensor, num_classes: int, labelled: int) -> Tensor:
    """Return the `labelled` items whose class is not negative, sorted by class and in their own order within one."""
    # NumPy sorts small integers by radix, in one or two passes.
    smallest_type = torch.int8 if num_classes < 2**7 else torch.int16 if num_classes < 2**15 else torch.int64
    order = np.argsort(classes.to(smallest_type).numpy(), kind="stable")
    order = order[len(classes) - labelled :]  # items of a negative class come first
    # NumPy asks for huge pages where PyTorch does not: that takes a fifth off every draw at 10 million items.
    return torch.from_numpy(order.astype(np.int32 if len(classes) < 2**31 else np.int64))
