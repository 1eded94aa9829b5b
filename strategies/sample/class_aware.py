"""Go round the classes, and round the items of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from strategies.draw.class_aware import ClassAware
from strategies.draw.epochs import stream_epochs
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.strategy import Inputs, Strategy


@register
@dataclass(frozen=True)
class ClassAwareSampling(Strategy):
    """Classes come in rounds, shuffled anew each time; each hands out its next items, cycling through them, reshuffled too.

    Shen et al. (2016), "Relay backpropagation", ECCV. A class comes once a round with `samples_per_class` items, an item
    again when all of its class have come: 4 is what the configurations of Kang et al. (2020) set, their code's own default 1.
    The mix is that of `class-balanced-sampling` with less noise, for no draw is independent of the others.

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
    cost: ClassVar[str] = "drawing: an epoch's orders of all classes and items are made at once"
    folder: ClassVar[str] = "sample"

    def __post_init__(self) -> None:
        if self.samples_per_class < 1:
            raise NotationError(
                f"class-aware-sampling: samples_per_class must be 1 or more; given: {self.samples_per_class}"
            )

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if not labels.single_label:
            return "an item has many labels: no one class whose turn it takes (see sentence-weights, repeat-factor-sampling)"
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return labels.per_position(labels.counts().inverse())

    def index_stream(
        self, labels: Labels, counts: ClassCounts, *, batch_size: int, steps: int, seed: int
    ) -> Iterator[Tensor]:
        self.check_applicable(labels)
        return stream_epochs(ClassAware(labels.values, each=self.samples_per_class, seed=seed), batch_size=batch_size)
