"""Class-aware sampling: cycle through the classes, and through the items of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.draw.class_aware import ClassAware
from strategies.draw.epochs import drawn_epochs
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Inputs, Strategy


@register
@dataclass(frozen=True)
class ClassAwareSampling(Strategy):
    """Cycle through the classes in random order, and through the items of each class.

    Every round, each class gives its next `samples_per_class` items. The order of the classes is shuffled anew in each round,
    that of a class's items after each of its cycles. The class mix is that of `class-balanced-sampling` with less noise,
    because draws are not independent.

    Parameters
    ----------
    samples_per_class : int, default 4
        Items of a class per round, 1 or more; 4 as in the configurations of Kang et al. (2020), whose code has a default of 1.

    References
    ----------
    Shen et al. (2016), "Relay backpropagation for effective learning of deep convolutional neural networks", ECCV.

    Examples
    --------
    >>> import torch
    >>> labels = Labels.of([0, 0, 0, 1])
    >>> stream = ClassAwareSampling().index_stream(labels, labels.counts(), batch_size=8, steps=1, seed=0)
    >>> torch.bincount(labels.values[next(stream)]).tolist()
    [4, 4]
    """

    samples_per_class: int = 4
    name: ClassVar[str] = "class-aware-sampling"
    title: ClassVar[str] = "classes take turns in random order, and items take turns within their class"
    formula: ClassVar[str] = "p_c = 1 / C, in cycles"
    paper: ClassVar[str] = "Shen et al. (2016), ECCV"
    cost: ClassVar[str] = "sampling: the orders of all classes and items of an epoch are generated at once"
    folder: ClassVar[str] = "sample"

    def __post_init__(self) -> None:
        if self.samples_per_class < 1:
            raise NotationError(
                f"class-aware-sampling: samples_per_class must be 1 or more; given: {self.samples_per_class}"
            )

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if not labels.one_each:
            return (
                "an item has many labels, so it belongs to no one class (see sentence-weights, repeat-factor-sampling)"
            )
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return labels.look_up(labels.counts().inverse())

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self.check_applicable(labels)
        return drawn_epochs(ClassAware(labels.values, each=self.samples_per_class, seed=seed), batch_size=batch_size)
