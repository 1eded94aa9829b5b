"""SMOTE, then removal of rows among other classes: SMOTEENN and SMOTETomek."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.optional_import import optional_import
from strategies.registry import register
from strategies.resample.smote import Smote
from strategies.strategy import Resampled
from strategies.strategy_warning import StrategyWarning


@dataclass(frozen=True)
class SmoteCleaned(Smote):
    """SMOTE, after which imbalanced-learn removes rows of all classes, real and synthetic ones.

    A class of which nothing would be left keeps its real rows, with a `StrategyWarning`. How many rows are left is known only
    afterwards, so no effective prior is declared.
    """

    paper: ClassVar[str] = "Batista et al. (2004), SIGKDD Explorations"
    cost: ClassVar[str] = "set-up: neighbour searches among C n_max rows; memory: C n_max rows"

    def cleaner(self, rows: int) -> Any:
        """Return imbalanced-learn's cleaner for so many rows."""
        raise NotImplementedError

    def rows_searched(self, labels: Labels) -> int:
        counts = labels.counts().values
        return int((counts > 0).sum() * counts.max())

    def interpolate(self, x: Tensor, labels: Labels, random: np.random.RandomState) -> Resampled:
        pool = super().interpolate(x, labels, random)
        synthetic_x = x[:0] if pool.synthetic_x is None else pool.synthetic_x
        synthetic_y = labels.values[:0] if pool.synthetic_y is None else pool.synthetic_y
        target = torch.cat([labels.values[pool.index], synthetic_y])
        if len(target.unique()) < 2:
            return pool
        cleaner = self.cleaner(len(pool))
        cleaner.fit_resample(torch.cat([x[pool.index], synthetic_x]).to(torch.float64).numpy(), target.numpy())
        kept = torch.from_numpy(cleaner.sample_indices_)
        is_real = kept < len(pool.index)
        real, synthetic = kept[is_real], kept[~is_real] - len(pool.index)
        index = torch.cat([pool.index[real], self._real_rows_of_lost_classes(labels, target[kept])])
        if not len(synthetic):
            return Resampled(index)
        return Resampled(index, synthetic_x[synthetic], synthetic_y[synthetic])

    def _real_rows_of_lost_classes(self, labels: Labels, left: Tensor) -> Tensor:
        """Return the real rows of the classes of which nothing is left."""
        lost = (labels.counts().values > 0) & (torch.bincount(left, minlength=labels.num_classes) == 0)
        if lost.any():
            classes = ", ".join(labels.class_names[c] for c in lost.nonzero().flatten().tolist())
            warnings.warn(
                f"cleaning would leave nothing, so the real rows are kept: {classes}", StrategyWarning, stacklevel=5
            )
        return torch.nonzero(lost[labels.values.clamp_min(0)] & (labels.values >= 0)).flatten()

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> None:
        return None


@register
@dataclass(frozen=True)
class SmoteEnn(SmoteCleaned):
    """SMOTE, then a row is removed unless its nearest neighbours are all of its class (edited nearest neighbours).

    imbalanced-learn's default rule "all" is stricter than Wilson's majority vote. Classes that overlap shrink the most: check
    the class mix of training.

    Parameters
    ----------
    neighbours : int, default 5
        Nearest rows of the class for SMOTE, 1 or more.
    cleaning_neighbours : int, default 3
        Nearest rows of any class that decide whether a row is kept, 1 or more.

    References
    ----------
    Batista et al. (2004), "A study of the behavior of several methods for balancing machine learning training data", SIGKDD
    Explorations 6(1).

    Examples
    --------
    >>> SmoteEnn().neighbours, SmoteEnn().cleaning_neighbours
    (5, 3)
    """

    cleaning_neighbours: int = 3
    name: ClassVar[str] = "smoteenn"
    title: ClassVar[str] = "SMOTE, then rows with a near neighbour of another class are removed"
    formula: ClassVar[str] = "SMOTE, then keep x if its k nearest are all of its class"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cleaning_neighbours < 1:
            raise NotationError(
                f"{self.name}: cleaning_neighbours must be 1 or more; given: {self.cleaning_neighbours}"
            )

    def cleaner(self, rows: int) -> Any:
        with optional_import(self.name):
            from imblearn.under_sampling import EditedNearestNeighbours

        return EditedNearestNeighbours(sampling_strategy="all", n_neighbors=min(self.cleaning_neighbours, rows - 1))


@register
@dataclass(frozen=True)
class SmoteTomek(SmoteCleaned):
    """SMOTE, then pairs of rows of two classes that are each other's nearest neighbour (Tomek links) are removed.

    Both rows of a link are removed, whatever their classes.

    Parameters
    ----------
    neighbours : int, default 5
        Nearest rows of the class for SMOTE, 1 or more.

    References
    ----------
    Batista et al. (2004), "A study of the behavior of several methods for balancing machine learning training data", SIGKDD
    Explorations 6(1).

    Examples
    --------
    >>> print(SmoteTomek(neighbours=3))
    smotetomek(neighbours=3)
    """

    name: ClassVar[str] = "smotetomek"
    title: ClassVar[str] = "SMOTE, then nearest pairs of two classes (Tomek links) are removed"
    formula: ClassVar[str] = "SMOTE, then drop x and x' of two classes, each the other's nearest"

    def cleaner(self, rows: int) -> Any:
        with optional_import(self.name):
            from imblearn.under_sampling import TomekLinks

        return TomekLinks(sampling_strategy="all")
