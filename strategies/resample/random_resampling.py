"""Random oversampling and undersampling of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from strategies.class_mix import expected_mix
from strategies.labels import ClassCounts, Labels
from strategies.registry import register
from strategies.strategy import Resampled, Strategy


@dataclass(frozen=True)
class RandomResampling(Strategy):
    """Copy or drop rows at random, by imbalanced-learn, until all classes have equally many.

    An item with many labels counts as its rarest class. Items without a label stay as they are and are not counted.
    """

    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "resample"

    def sampler(self, **options: Any) -> Any:
        """Return imbalanced-learn's sampler."""
        raise NotImplementedError

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled:
        classes = labels.rarest(labels.counts())
        labelled = torch.nonzero(classes >= 0).flatten()
        if len(classes[labelled].unique()) < 2:
            return Resampled(torch.arange(len(labels)))
        sampler = self.sampler(random_state=seed % 2**32)
        sampler.fit_resample(np.arange(len(labelled)).reshape(-1, 1), classes[labelled].numpy())
        unlabelled = torch.nonzero(classes < 0).flatten()
        return Resampled(torch.cat([labelled[torch.from_numpy(sampler.sample_indices_)], unlabelled]))

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor:
        """Exact: an item is expected in proportion to one over the size of its rarest class."""
        classes = labels.rarest(labels.counts())
        sizes = torch.bincount(classes[classes >= 0], minlength=labels.num_classes).double()
        return expected_mix(labels, 1 / sizes.clamp_min(1)[classes])


@register
@dataclass(frozen=True)
class RandomOversampling(RandomResampling):
    """Copy rows of every class at random, with replacement, until it has as many as the largest class.

    An item with many labels counts as its rarest class; the classes then have equally many items, but not equally many labels.
    Folklore, without a paper; by imbalanced-learn.

    Examples
    --------
    >>> pool = RandomOversampling().resample(None, Labels.of([0, 0, 0, 1]), seed=0)
    >>> pool.index.tolist()
    [0, 1, 2, 3, 3, 3]
    """

    name: ClassVar[str] = "random-oversampling"
    title: ClassVar[str] = "rows of the rarer classes are copied up to the largest class"
    formula: ClassVar[str] = "n_c -> n_max"
    cost: ClassVar[str] = "memory: C n_max row numbers"

    def sampler(self, **options: Any) -> Any:
        from imblearn.over_sampling import RandomOverSampler

        return RandomOverSampler(**options)


@register
@dataclass(frozen=True)
class RandomUndersampling(RandomResampling):
    """Keep as many rows of every class as the smallest class has, at random without replacement.

    All other rows are never used. An item with many labels counts as its rarest class. Folklore, without a paper; by
    imbalanced-learn.

    Examples
    --------
    >>> pool = RandomUndersampling().resample(None, Labels.of([0, 0, 0, 1]), seed=0)
    >>> len(pool), 3 in pool.index
    (2, True)
    """

    name: ClassVar[str] = "random-undersampling"
    title: ClassVar[str] = "rows of the more frequent classes are dropped down to the smallest class"
    formula: ClassVar[str] = "n_c -> n_min"

    def sampler(self, **options: Any) -> Any:
        from imblearn.under_sampling import RandomUnderSampler

        return RandomUnderSampler(**options)
