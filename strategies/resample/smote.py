"""SMOTE, and Borderline-SMOTE, which interpolates only near other classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from strategies.class_mix import normalise
from strategies.labels import ClassCounts, Labels
from strategies.notation import NotationError
from strategies.registry import register
from strategies.resample.interpolation import Interpolation


@register
@dataclass(frozen=True)
class Smote(Interpolation):
    """Bring every class to the size of the largest with synthetic rows between a row and a near one of its class.

    A synthetic row is x + u (x' - x) with u ~ U(0, 1), where x' is one of the nearest rows of the class. Features should be on
    similar scales. A class with too few rows lowers the number of neighbours, and a class of one row is copied; both raise a
    `StrategyWarning`.

    Parameters
    ----------
    neighbours : int, default 5
        Nearest rows of the class to choose from, 1 or more.

    References
    ----------
    Chawla et al. (2002), "SMOTE: synthetic minority over-sampling technique", JAIR 16.

    Examples
    --------
    >>> import torch
    >>> pool = Smote(neighbours=1).resample(torch.tensor([[0.0], [1.0], [8.0], [7.0], [6.0]]), Labels.of([0, 0, 1, 1, 1]), seed=0)
    >>> pool.synthetic_y.tolist(), bool(0 <= pool.synthetic_x <= 1)
    ([0], True)
    """

    name: ClassVar[str] = "smote"
    title: ClassVar[str] = "synthetic rows between near rows of a class, up to the largest class"
    formula: ClassVar[str] = "x + u (x' - x), u ~ U(0, 1), x' of the k nearest of the class"
    paper: ClassVar[str] = "Chawla et al. (2002), JAIR"

    def sampler(self, neighbours: int, rows: int, **options: Any) -> Any:
        from imblearn.over_sampling import SMOTE

        return SMOTE(k_neighbors=neighbours, **options)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        return normalise((labels.counts().values > 0).double())


@register
@dataclass(frozen=True)
class BorderlineSmote(Interpolation):
    """SMOTE from those rows of a class that are in danger: at least half, but not all, of their neighbours are of other classes.

    This is the paper's variant 1. A class without rows in danger is copied, with a `StrategyWarning`; the published method
    leaves it as it is.

    Parameters
    ----------
    neighbours : int, default 5
        Nearest rows of the class to choose from, 1 or more.
    judges : int, default 10
        Nearest rows of any class by which danger is judged, 1 or more; 10 is imbalanced-learn's default.

    References
    ----------
    Han et al. (2005), "Borderline-SMOTE: a new over-sampling method in imbalanced data sets learning", ICIC.

    Examples
    --------
    >>> BorderlineSmote().neighbours, BorderlineSmote().judges
    (5, 10)
    """

    judges: int = 10
    name: ClassVar[str] = "borderline-smote"
    title: ClassVar[str] = "SMOTE only from rows near other classes, up to the largest class"
    formula: ClassVar[str] = "SMOTE from x with m/2 <= (others among the m nearest) < m"
    paper: ClassVar[str] = "Han et al. (2005), ICIC"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.judges < 1:
            raise NotationError(f"{self.name}: judges must be 1 or more; given: {self.judges}")

    def sampler(self, neighbours: int, rows: int, **options: Any) -> Any:
        from imblearn.over_sampling import BorderlineSMOTE

        return BorderlineSMOTE(k_neighbors=neighbours, m_neighbors=min(self.judges, rows - 1), **options)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        return normalise((labels.counts().values > 0).double())
