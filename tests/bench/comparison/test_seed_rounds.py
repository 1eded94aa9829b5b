"""A comparison on a machine that becomes slow after the pilot: it ends with three seeds, says so, and goes on later."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.comparison.comparison_run import FinishedComparison, Options, prepare_comparison, run_comparison
from bench.engine.events import StudyBegan
from bench.user_data.source import find_source

pytestmark = pytest.mark.slow

MODEL = """
import time
from pathlib import Path

from sklearn.linear_model import LogisticRegression


class Slowed(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        if Path({marker!r}).exists():
            time.sleep(1.5)
        return super().fit(X, y, sample_weight)


def make():
    return Slowed()
"""


def test_a_machine_that_becomes_slow_gets_three_seeds_and_the_others_with_a_larger_budget(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    pd.DataFrame({"x": x, "y": np.where(x + rng.normal(size=300) > 1, "yes", "no")}).to_csv(
        tmp_path / "data.csv", index=False
    )
    marker, model = tmp_path / "slow", tmp_path / "mine.py"
    model.write_text(MODEL.format(marker=str(marker)))
    spec = find_source(str(tmp_path / "data.csv"), target="y")
    options = Options(
        models=(f"{model}:make",), strategies=("loss-weights",), out=tmp_path / "out", workers=1, budget_seconds=30
    )

    def compare(options: Options, *, slow: bool) -> tuple[FinishedComparison, list[str]]:
        events: list[object] = []
        prepared = prepare_comparison(spec, options, lambda what, on: None, events.append)
        assert "affords 5 seeds" in prepared.afforded
        marker.touch() if slow else marker.unlink(missing_ok=True)
        finished = run_comparison(prepared, lambda what, on: None, events.append)
        return finished, [note for event in events if isinstance(event, StudyBegan) for note in event.notes]

    def seeds() -> set[int]:
        return {json.loads(path.read_text())["seed"] for path in (tmp_path / "out" / "runs").iterdir()}

    finished, notes = compare(options, slow=True)
    said = "planned 5 seeds, trained 3: the first 3 took longer than the pilot predicted"
    assert seeds() == {0, 1, 2}
    assert said in finished.summary[-1]
    assert said in finished.page.read_text()
    assert not any("adds to" in note for note in notes)

    more = dataclasses.replace(options, budget_seconds=600.0, began=time.monotonic())
    resumed, notes = compare(more, slow=False)
    assert seeds() == {0, 1, 2, 3, 4}
    assert not resumed.result.left_out
    assert said not in resumed.page.read_text()
    assert any("adds to an earlier study" in note for note in notes)
