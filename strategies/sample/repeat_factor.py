"""Repeat-factor sampling: repeat items that hold a rare class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.draw.epochs import drawn_epochs
from strategies.draw.repeat_factor import RepeatFactor, repeat_factors
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Strategy


@register
@dataclass(frozen=True)
class RepeatFactorSampling(Strategy):
    """Repeat an item `max(1, sqrt(threshold / f_c))` times per epoch, for the rarest class c that it holds.

    f_c is the share of items that hold c. Factors are rounded at random in each epoch.

    Parameters
    ----------
    threshold : float, default 0.001
        The share of items below which a class is repeated, 0 or more. The published default is meant for 1,203 classes; with
        few classes, none is rarer than that and nothing is repeated. Set it to the share below which a class counts as rare,
        for example 0.1.

    References
    ----------
    Gupta et al. (2019), "LVIS: a dataset for large vocabulary instance segmentation", CVPR.

    Examples
    --------
    >>> labels = Labels.packed([[0], [0], [0], [0, 1]])
    >>> RepeatFactorSampling(threshold=1.0).item_weights(labels, labels.counts()).tolist()
    [1.0, 1.0, 1.0, 2.0]
    """

    threshold: float = 1e-3
    name: ClassVar[str] = "repeat-factor-sampling"
    title: ClassVar[str] = "items that hold a rare class are repeated, by the square root of its rarity"
    formula: ClassVar[str] = "r_i = max over c in i of max(1, sqrt(threshold / f_c))"
    paper: ClassVar[str] = "Gupta et al. (2019), CVPR"
    cost: ClassVar[str] = "sampling: an epoch is generated at once"
    folder: ClassVar[str] = "sample"

    def __post_init__(self) -> None:
        if self.threshold < 0:
            raise NotationError(f"repeat-factor-sampling: threshold must be 0 or more; given: {self.threshold}")

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return repeat_factors(labels, self.threshold)

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        return drawn_epochs(RepeatFactor(self.item_weights(labels, counts), seed=seed), batch_size=batch_size)
