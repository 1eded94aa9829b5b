"""ADASYN: more synthetic rows where a class is harder to distinguish from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from strategies.labels import ClassCounts, Labels
from strategies.registry import register
from strategies.resample.interpolation import Interpolation


@register
@dataclass(frozen=True)
class Adasyn(Interpolation):
    """SMOTE that makes more synthetic rows from a row if more of its neighbours are of other classes.

    Row i of a class that lacks G rows yields G r_i / sum r synthetic rows, where r_i is the share of other classes among its
    nearest rows. These numbers are rounded, so classes come close to the largest but do not reach it, and no exact prior is
    declared. A class whose neighbours are all its own is copied, with a `StrategyWarning`.

    Parameters
    ----------
    neighbours : int, default 5
        Nearest rows, 1 or more.

    References
    ----------
    He et al. (2008), "ADASYN: adaptive synthetic sampling approach for imbalanced learning", IJCNN.

    Examples
    --------
    >>> labels = Labels.of([0, 0, 1])
    >>> Adasyn().effective_prior(labels, labels.counts()) is None
    True
    """

    name: ClassVar[str] = "adasyn"
    title: ClassVar[str] = "SMOTE with more synthetic rows next to other classes, up to about the largest class"
    formula: ClassVar[str] = "g_i = round(G r_i / sum r), r_i = (others among the k nearest) / k"
    paper: ClassVar[str] = "He et al. (2008), IJCNN"

    def sampler(self, neighbours: int, rows: int, **options: Any) -> Any:
        from imblearn.over_sampling import ADASYN

        return ADASYN(n_neighbors=neighbours, **options)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> None:
        return None
