"""Thresholds on the smallest tables: they are skipped, with the reason, or tuned, and lose next to nothing on average."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from strategies import StrategyWarning, TunedThresholds, fit_thresholds

REASON = "fewer than two classes have enough validation labels, so no offset is used"


def long_tailed_wine(rows=60):
    """Wine with 45, 12 and 3 rows of its classes."""
    x, y = load_wine(return_X_y=True)
    kept = np.concatenate([np.flatnonzero(y == c)[:size] for c, size in enumerate((45, 12, 3))])
    return x[kept][:rows], y[kept][:rows]


TABLES = {
    "wine": load_wine(return_X_y=True),
    "breast cancer": load_breast_cancer(return_X_y=True),
    "60 rows of wine, 15 : 1": long_tailed_wine(),
}


@pytest.mark.filterwarnings("ignore:The least populated class", "ignore:Number of classes in training fold")
@pytest.mark.parametrize("name", TABLES)
def test_thresholds_lose_next_to_nothing_on_the_smallest_tables_and_say_what_they_left_out(name):
    x, y = TABLES[name]
    losses = []
    for seed in range(10):
        train, rest = train_test_split(np.arange(len(y)), train_size=0.6, stratify=y, random_state=seed)
        valid, test = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(x[train], y[train])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StrategyWarning)
            thresholds = fit_thresholds(plain.predict_log_proba(x[valid]), y[valid])
            tuned = TunedThresholds(plain).fit(x[train], y[train])
        few = np.bincount(y[valid], minlength=len(thresholds.offsets)) < 5
        assert thresholds.neutral == tuple(np.flatnonzero(few))
        assert (REASON in thresholds.notes) == ((~few).sum() < 2)
        assert any(thresholds.offsets) or any(
            "no offset is used" in note or "none is used" in note for note in thresholds.notes
        )
        ids = [plain.predict(x[test]), thresholds.predict(plain.predict_log_proba(x[test])), tuned.predict(x[test])]
        scores = [f1_score(y[test], predicted, average="macro") for predicted in ids]
        losses.append([scores[0] - scores[1], scores[0] - scores[2]])
    assert np.mean(losses, axis=0).max() < 0.005
