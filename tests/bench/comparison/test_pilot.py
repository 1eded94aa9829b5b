"""First fits of estimators tell what the others would cost; one that takes too long is stopped in the middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.comparison.comparison_run import Options, prepare_comparison
from bench.user_data.source import find_source

MODEL = """
import time

from sklearn.linear_model import LogisticRegression


class HangsWithWeights(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        if sample_weight is not None and len(y) > 100:  # not where the estimator is tried on a few rows
            time.sleep(3600)
        return super().fit(X, y)


def make():
    return HangsWithWeights()
"""


def test_a_first_fit_that_takes_too_long_is_stopped_and_its_strategy_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    frame = pd.DataFrame({"x": x, "y": np.where(x + rng.normal(size=300) > 1, "yes", "no")})
    frame.to_csv(tmp_path / "data.csv", index=False)
    model = tmp_path / "mine.py"
    model.write_text(MODEL)
    options = Options(models=(f"{model}:make",), out=tmp_path / "out", workers=1, budget_seconds=40)
    prepared = prepare_comparison(find_source(str(tmp_path / "data.csv"), target="y"), options, lambda what, on: None)
    assert "left out: loss-weights(power=0.5)" in prepared.afforded
    trained = {str(run.strategy) for run in prepared.runner.plan.runs}
    assert "none" in trained
    assert "loss-weights(power=0.5)" not in trained
