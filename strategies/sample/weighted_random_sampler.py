"""Sample items with PyTorch's WeightedRandomSampler."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.draw.epochs import weighted_epochs
from strategies.labels import ClassCounts, Labels
from strategies.registry import register
from strategies.strategy import Inputs, Strategy

MAX_ITEMS = 2**24
"""Most items for `torch.multinomial`, with which PyTorch's sampler draws."""


@register
@dataclass(frozen=True)
class WeightedRandomSampler(Strategy):
    """Sample each item in proportion to `(N / (C n_y))^power` of its class y, with replacement.

    `torch.utils.data.WeightedRandomSampler` draws epochs of N items from a CPU generator of its own. It is the reference that
    faster samplers are measured against. Folklore, without a paper.

    Parameters
    ----------
    power : float, default 1.0
        1 balances the classes, 0 is the natural mix.

    Examples
    --------
    >>> labels = Labels.of([0] * 90 + [1] * 10)
    >>> stream = WeightedRandomSampler().index_stream(labels, labels.counts(), batch_size=1000, steps=1, seed=0)
    >>> bool(abs((labels.values[next(stream)] == 1).double().mean() - 0.5) < 0.05)
    True
    """

    power: float = 1.0
    name: ClassVar[str] = "weighted-random-sampler"
    title: ClassVar[str] = "items are sampled in proportion to (N / (C n_y))^power, with replacement, by PyTorch"
    formula: ClassVar[str] = "P(i) ~ (N / (C n_y))^power"
    paper: ClassVar[str] = "folklore"
    cost: ClassVar[str] = "sampling: an epoch of torch.multinomial at once, up to 2^24 items"
    folder: ClassVar[str] = "sample"

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if not labels.one_each:
            return (
                "an item has many labels, so it belongs to no one class (see sentence-weights, repeat-factor-sampling)"
            )
        if len(labels) > MAX_ITEMS:
            return f"PyTorch's sampler stops at 2^24 = {MAX_ITEMS:,} items (see class-balanced-sampling)"
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return labels.look_up(counts.inverse(self.power))

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self.check_applicable(labels)
        return weighted_epochs(self.item_weights(labels, counts), batch_size=batch_size, seed=seed)
