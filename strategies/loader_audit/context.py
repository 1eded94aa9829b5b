"""All that a diagnosis may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from strategies.labels import ClassCounts, Labels
from strategies.loader_audit.loader_source import LoaderSource
from strategies.loader_audit.loss_introspection import LossFacts
from strategies.loader_audit.mix_test import MixTest, compare
from strategies.loader_audit.observed import Observation

Role = Literal["training", "validation"]


@dataclass(frozen=True)
class AuditContext:
    """A loader or sampler, the labels of the data set that it reads, what was drawn, and what was wanted."""

    source: LoaderSource
    labels: Labels
    """Of every item; padding is no class here."""
    given: Labels
    """As they were given, padding included."""
    intended: Tensor
    """NaN where no mix is to be tested."""
    role: Role
    num_replicas: int
    rank: int | None
    loss: LossFacts
    pads: tuple[int, ...] = ()
    pad_declared: bool = False
    """Whether the padding is what the user says it is."""
    draws: Observation | None = None
    """None where the sampler cannot draw at all."""
    drawn: Labels | None = None
    """The labels of what was drawn; None where they cannot be known."""

    @property
    def items(self) -> int:
        """Items of the data set."""
        dataset = self.source.dataset
        return len(dataset) if dataset is not None and hasattr(dataset, "__len__") else len(self.given)

    @cached_property
    def counts(self) -> ClassCounts:
        return self.labels.counts()

    @cached_property
    def test(self) -> MixTest:
        """Against the intended mix."""
        unknown = self.drawn is None or bool(self.intended.isnan().any())
        return MixTest(None) if unknown or self.drawn is None else compare(self.drawn, self.intended)

    @cached_property
    def natural_test(self) -> MixTest:
        """Against the mix of the data set."""
        return MixTest(None) if self.drawn is None else compare(self.drawn, self.natural)

    @cached_property
    def natural(self) -> Tensor:
        """Shares of the classes among the labels of the data set (C,)."""
        return self.counts.values.double() / self.counts.values.sum().clamp_min(1)

    @cached_property
    def realised(self) -> Tensor:
        """Shares of the classes among the labels drawn (C,)."""
        if self.drawn is None:
            return torch.full_like(self.natural, torch.nan)
        seen = self.drawn.counts().values
        return seen.double() / seen.sum().clamp_min(1)

    @property
    def sampler_name(self) -> str:
        return type(self.source.weighted).__name__

    def name_of(self, class_id: int) -> str:
        """A class in words: its id, and its name where it has one."""
        name = self.given.class_names[class_id].strip()
        return f"class {class_id}" if name == str(class_id) else f"class {class_id} {name!r}"

    @property
    def batch_argument(self) -> str:
        """`batch_size=...` as the user has it."""
        size = self.source.batch_size
        return f", batch_size={size}" if size else ""

    def mean_by_class(self, of_items: Tensor) -> Any:
        """Mean, least and largest of a number an item (N,) over the items of each class, each (C,); NaN for an empty class."""
        classes = self.given.values
        kept = (classes >= 0) & of_items.isfinite()
        held, values = classes[kept], of_items.double()[kept]
        empty = torch.full((self.given.num_classes,), torch.nan, dtype=torch.float64)
        return tuple(
            empty.clone().scatter_reduce_(0, held, values, how, include_self=False) for how in ("mean", "amin", "amax")
        )
