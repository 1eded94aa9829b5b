"""A random forest of which each tree is grown on balanced rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from strategies.ensemble.undersampled_ensemble import UndersampledEnsemble
from strategies.optional_import import optional_import
from strategies.registry import register


@register
@dataclass(frozen=True)
class BalancedRandomForest(UndersampledEnsemble):
    """Grow each tree of a random forest on as many rows of every class as the smallest one has, sampled with replacement.

    It takes the place of the learner: the trees are its own.

    Parameters
    ----------
    trees : int, default 100
        How many trees are grown, 1 or more.

    References
    ----------
    Chen, Liaw and Breiman (2004), "Using random forest to learn imbalanced data", technical report 666, UC Berkeley.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> forest = BalancedRandomForest(trees=5).ensemble(LogisticRegression(), seed=0)
    >>> forest.fit([[i] for i in range(12)], [0] * 8 + [1] * 4).predict([[10.5]]).tolist()
    [1]
    """

    trees: int = 100
    name: ClassVar[str] = "balanced-random-forest"
    title: ClassVar[str] = "a random forest in place of the learner, each tree grown on under-sampled, balanced rows"
    formula: ClassVar[str] = "mean of p_t(c | x), tree t on n_min rows of each class, with replacement"
    paper: ClassVar[str] = "Chen et al. (2004), UC Berkeley technical report 666"
    cost: ClassVar[str] = "100 trees on C n_min rows each, in place of the learner"

    def ensemble(self, estimator: Any, *, seed: int) -> Any:
        with optional_import(self.name):
            from imblearn.ensemble import BalancedRandomForestClassifier

        return BalancedRandomForestClassifier(self.trees, random_state=seed % 2**32)
