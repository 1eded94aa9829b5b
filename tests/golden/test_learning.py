"""Every strategy learns, and the ones that promise more than plain training on balanced test data give it; a long test."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bench.measures import macro_f1
from bench.store import Store

BOUND, BOUNDS = 0.60, {"ignore-index": 0.45, "random-undersampling": 0.25, "one-minus-share-weights": 0.55}
"""Macro-F1 on test that a strategy's mean reaches; plain training has about .70."""
BETTER = (
    "logit-adjustment",
    "post-hoc-adjustment",
    "ldam+deferred-reweighting",
    "classifier-retraining",
    "deferred-reweighting",
)


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Macro-F1 on test, a column a strategy, a row a seed."""
    out = tmp_path_factory.mktemp("learning")
    subprocess.run([sys.executable, "-m", "bench", "run", "learning", "--quiet", "--out", out], check=True)
    store = Store(out)
    return pd.DataFrame(
        {
            row.strategy: {
                seed: macro_f1(store.record(id).evaluation("chosen", "test", row.adjustment).confusion)
                for seed, id in row.trainings.items()
            }
            for row in store.study().rows
        }
    )


@pytest.mark.slow
def test_every_strategy_trains_to_a_stated_bound(scores):
    assert len(scores) == 20
    bounds = pd.Series({strategy: BOUNDS.get(strategy, BOUND) for strategy in scores})
    low = scores.mean()[scores.mean() < bounds]
    assert low.empty, low.to_dict()


@pytest.mark.slow
@pytest.mark.parametrize("strategy", BETTER)
def test_on_balanced_test_data_they_beat_plain_training(scores, strategy):
    gain = scores[strategy] - scores["none"]
    assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(len(gain))


@pytest.mark.slow
def test_logit_adjustment_gains_about_a_tenth(scores):
    assert (scores["logit-adjustment"] - scores["none"]).mean() == pytest.approx(0.105, abs=0.04)
