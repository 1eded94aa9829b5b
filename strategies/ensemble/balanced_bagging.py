"""Under-sampled bags of the user's own learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from strategies.ensemble.undersampled_ensemble import UndersampledEnsemble
from strategies.optional_import import optional_import
from strategies.registry import register


@register
@dataclass(frozen=True)
class BalancedBagging(UndersampledEnsemble):
    """Train the same estimator several times, each time on a new balanced sample of the rows, and average the probabilities.

    Each class is under-sampled to the size of the smallest one, and a bootstrap sample is taken of what remains.

    Parameters
    ----------
    bags : int, default 10
        How many estimators are trained, 1 or more.

    References
    ----------
    Wallace et al. (2011), "Class imbalance, redux", ICDM.
    Barandela, Valdovinos and Sánchez (2003), "New applications of ensembles of classifiers", Pattern Analysis & Applications 6.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> bagging = BalancedBagging(bags=3).ensemble(LogisticRegression(), seed=0)
    >>> len(bagging.fit([[i] for i in range(12)], [0] * 8 + [1] * 4).estimators_)
    3
    """

    bags: int = 10
    name: ClassVar[str] = "balanced-bagging"
    title: ClassVar[str] = (
        "the learner is trained on several under-sampled, balanced samples, whose probabilities are averaged"
    )
    formula: ClassVar[str] = "mean of p_b(c | x), b on n_min rows of each class"
    paper: ClassVar[str] = "Wallace et al. (2011), ICDM"
    cost: ClassVar[str] = "10 fits on C n_min rows each"

    def ensemble(self, estimator: Any, *, seed: int) -> Any:
        with optional_import(self.name):
            from imblearn.ensemble import BalancedBaggingClassifier

        return BalancedBaggingClassifier(estimator, n_estimators=self.bags, random_state=seed % 2**32)
