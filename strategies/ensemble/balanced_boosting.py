"""Boosted trees on balanced rows: whole ensembles on one balanced sample each, or a new sample for every tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from strategies.ensemble.undersampled_ensemble import UndersampledEnsemble
from strategies.labels import ClassCounts, Labels
from strategies.optional_import import optional_import
from strategies.registry import register


@dataclass(frozen=True)
class BalancedBoosting(UndersampledEnsemble):
    """An ensemble of boosted trees: `predict_proba` turns votes into numbers that rank well, but are no estimates of
    probability."""

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        """Return None: the rows are balanced, but AdaBoost's votes lie so close together that no prior can be divided out."""
        return None


@register
@dataclass(frozen=True)
class EasyEnsemble(BalancedBoosting):
    """Train AdaBoost on several balanced samples of the rows, and average.

    It takes the place of the learner: the trees are its own. Probabilities of AdaBoost are far too close to each other, so they
    are not calibrated, and their prior cannot be corrected; thresholds can be tuned.

    Parameters
    ----------
    bags : int, default 10
        Balanced samples, 1 or more.
    rounds : int, default 50
        Trees of each AdaBoost, 1 or more.
    depth : int, default 4
        Of each tree, 1 or more. Trees of depth 1, imbalanced-learn's default, can hardly tell more than two classes apart.

    References
    ----------
    Liu, Wu and Zhou (2009), "Exploratory undersampling for class-imbalance learning", IEEE Transactions on Systems, Man, and
    Cybernetics B 39(2).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> ensemble = EasyEnsemble(bags=2, rounds=3).ensemble(LogisticRegression(), seed=0)
    >>> ensemble.fit([[i] for i in range(12)], [0] * 8 + [1] * 4).predict([[10.5]]).tolist()
    [1]
    """

    bags: int = 10
    rounds: int = 50
    depth: int = 4
    name: ClassVar[str] = "easy-ensemble"
    title: ClassVar[str] = "AdaBoost in place of the learner, on several under-sampled, balanced samples, averaged"
    formula: ClassVar[str] = "mean of AdaBoost_b(x), b on n_min rows of each class"
    paper: ClassVar[str] = "Liu et al. (2009), IEEE TSMC-B"
    cost: ClassVar[str] = "500 small trees on C n_min rows each, in place of the learner"

    def ensemble(self, estimator: Any, *, seed: int) -> Any:
        with optional_import(self.name):
            from imblearn.ensemble import EasyEnsembleClassifier
            from sklearn.ensemble import AdaBoostClassifier
            from sklearn.tree import DecisionTreeClassifier

        boosting = AdaBoostClassifier(DecisionTreeClassifier(max_depth=self.depth), n_estimators=self.rounds)
        return EasyEnsembleClassifier(self.bags, estimator=boosting, random_state=seed % 2**32)


@register
@dataclass(frozen=True)
class RusBoost(BalancedBoosting):
    """Boost trees, and grow each on a new balanced sample of the weighted rows.

    It takes the place of the learner: the trees are its own. Its probabilities are not calibrated, and their prior cannot be
    corrected; thresholds can be tuned.

    Parameters
    ----------
    rounds : int, default 50
        How many trees are grown, 1 or more.
    depth : int, default 4
        Of each tree, 1 or more. With trees of depth 1, imbalanced-learn's default, training may fail on more than two classes.

    References
    ----------
    Seiffert et al. (2010), "RUSBoost: a hybrid approach to alleviating class imbalance", IEEE Transactions on Systems, Man, and
    Cybernetics A 40(1).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> boosting = RusBoost(rounds=3).ensemble(LogisticRegression(), seed=0)
    >>> boosting.fit([[i] for i in range(12)], [0] * 8 + [1] * 4).predict([[10.5]]).tolist()
    [1]
    """

    rounds: int = 50
    depth: int = 4
    name: ClassVar[str] = "rus-boost"
    title: ClassVar[str] = "AdaBoost in place of the learner, each of its trees grown on under-sampled, balanced rows"
    formula: ClassVar[str] = "AdaBoost, tree t on n_min rows of each class"
    paper: ClassVar[str] = "Seiffert et al. (2010), IEEE TSMC-A"
    cost: ClassVar[str] = "50 small trees on C n_min rows each, in place of the learner"

    def ensemble(self, estimator: Any, *, seed: int) -> Any:
        with optional_import(self.name):
            from imblearn.ensemble import RUSBoostClassifier
            from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(max_depth=self.depth)
        return RUSBoostClassifier(tree, n_estimators=self.rounds, random_state=seed % 2**32)
