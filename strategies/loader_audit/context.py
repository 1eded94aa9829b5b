"""`AuditContext`: everything that an audit check can inspect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from strategies.labels import ClassCounts, Labels
from strategies.loader_audit.loader_source import LoaderSource
from strategies.loader_audit.loss_introspection import LossFacts
from strategies.loader_audit.mix_significance import MixTest, chi_square_test
from strategies.loader_audit.observation import Observation

Role = Literal["training", "validation"]

CLOSE = 1e-3
"""Relative difference within which weights are taken to be equal."""


@dataclass(frozen=True)
class AuditContext:
    """A loader or sampler, the labels of its data set, what it sampled, and what was intended."""

    source: LoaderSource
    labels: Labels
    """The labels of every item of the data set; padding has no label."""
    given_labels: Labels
    """The same as the user gave them: padding may be a class."""
    intended_mix: Tensor
    """The share that each class should have, `(C,)`; NaN where no mix is to be tested."""
    stated_mix: Tensor
    """The same as the user said or implied, whatever sampler and loss let the audit infer."""
    role: Role
    num_replicas: int
    rank: int | None
    """None where there are several processes and it is not known which one this is."""
    loss: LossFacts
    pad_classes: tuple[int, ...] = ()
    pad_declared: bool = False
    """Whether the user named the padding; if not, it was recognised by its name or place."""
    observation: Observation | None = None
    """None where the sampler raises an error."""
    sampled_labels: Labels | None = None
    """The labels of the sampled items; None where they cannot be known."""

    @property
    def items(self) -> int:
        """Number of items of the data set."""
        length = self.source.dataset_length
        return len(self.given_labels) if length is None else length

    @cached_property
    def counts(self) -> ClassCounts:
        """Labels of each class in the data set; padding is not counted."""
        return self.labels.counts()

    @cached_property
    def mix_test(self) -> MixTest:
        """The test of the sampled class mix against the intended one."""
        if self.sampled_labels is None or bool(self.intended_mix.isnan().any()):
            return MixTest(None)
        return chi_square_test(self.sampled_labels, self.intended_mix)

    @cached_property
    def natural_mix_test(self) -> MixTest:
        """The test of the sampled class mix against that of the data set."""
        return MixTest(None) if self.sampled_labels is None else chi_square_test(self.sampled_labels, self.natural_mix)

    @cached_property
    def natural_mix(self) -> Tensor:
        """Share of each class among the labels of the data set, `(C,)`."""
        return self.counts.values.double() / self.counts.values.sum().clamp_min(1)

    @cached_property
    def sampled_mix(self) -> Tensor:
        """Share of each class among the sampled labels, `(C,)`; NaN where these cannot be known."""
        if self.sampled_labels is None:
            return torch.full_like(self.natural_mix, torch.nan)
        sampled = self.sampled_labels.counts().values
        return sampled.double() / sampled.sum().clamp_min(1)

    @property
    def weighted_sampler_name(self) -> str:
        """The class of the sampler that has weights, such as "WeightedRandomSampler"."""
        return type(self.source.weighted_sampler).__name__

    def describe_class(self, class_id: int) -> str:
        """Return a class for a sentence: its id, and its name where it has one."""
        name = self.given_labels.class_names[class_id].strip()
        return f"class {class_id}" if name == str(class_id) else f"class {class_id} {name!r}"

    @property
    def batch_argument(self) -> str:
        """The argument `batch_size=...` of the user's loader, with a comma before it; empty if there is none."""
        size = self.source.batch_size
        return f", batch_size={size}" if size else ""

    @property
    def has_weight_per_item(self) -> bool:
        """Whether the sampler has one weight for each item of the data set, and each item one label."""
        weights, labels = self.source.weights, self.given_labels
        return weights is not None and len(weights) == self.items == len(labels) and labels.single_label

    def class_weights(self, item_weights: Tensor, present: Tensor | None = None) -> Tensor | None:
        """Return the weight of each class, `(C,)`, if the items of a class all have the same; None if not.

        Parameters
        ----------
        item_weights
            `(N,)`; items whose weight is not finite are left out.
        present
            Classes to compare, `(C,)` bool. By default those that have an item with a finite weight.
        """
        classes = self.given_labels.values
        kept = (classes >= 0) & item_weights.isfinite()
        kept_classes, kept_weights = classes[kept], item_weights.double()[kept]

        def reduce(how: Any) -> Tensor:
            empty = torch.full((self.given_labels.num_classes,), torch.nan, dtype=torch.float64)
            return empty.scatter_reduce_(0, kept_classes, kept_weights, how, include_self=False)

        mean, lowest, highest = reduce("mean"), reduce("amin"), reduce("amax")
        present = mean.isfinite() if present is None else present
        is_constant = (highest - lowest) <= CLOSE * mean
        return mean if bool(is_constant[present].all()) else None
