"""Make more rows where a class is harder to tell from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from strategies.labels import ClassCounts, Labels
from strategies.optional_import import optional_import
from strategies.registry import register
from strategies.resample.interpolation import Interpolation


@register
@dataclass(frozen=True)
class Adasyn(Interpolation):
    """SMOTE that makes more rows from a row the more of its neighbours are of other classes.

    He et al. (2008), "ADASYN: adaptive synthetic sampling", IJCNN: row i of a class that lacks G rows makes G r_i / sum r of
    them, r_i the share of other classes among its 5 nearest. Those numbers are rounded, so classes come near the largest, not
    to it: no exact prior is declared. A class whose neighbours are all its own is copied, which a `StrategyWarning` says.

    >>> labels = Labels.of([0, 0, 1])
    >>> Adasyn().effective_prior(labels, labels.counts()) is None
    True
    """

    name: ClassVar[str] = "adasyn"
    title: ClassVar[str] = "SMOTE that makes more rows among rows of other classes, to about the largest class"
    formula: ClassVar[str] = "g_i = round(G r_i / sum r), r_i = (others among the k nearest) / k"
    paper: ClassVar[str] = "He et al. (2008), IJCNN"

    def sampler(self, neighbours: int, rows: int, **options: Any) -> Any:
        with optional_import(self.name):
            from imblearn.over_sampling import ADASYN

        return ADASYN(n_neighbors=neighbours, **options)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> None:
        return None
