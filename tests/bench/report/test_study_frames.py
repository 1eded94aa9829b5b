"""`per_seed.csv` and `bench.load`: the numbers of every run, from which the report's means and differences follow."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_study import Simulated, simulate_record, simulate_study, task_facts

import bench
from bench.errors import InputError
from bench.records.record import Evaluation
from bench.records.store import Store
from bench.report.results_directory import load_study
from bench.report.tables import write_tables


@pytest.fixture(scope="module")
def directory(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results directory with two tasks, a thresholds baseline on one of them, and the report's tables."""
    store = Store(tmp_path_factory.mktemp("results"))
    strategies = [
        replace(row, post_hoc={"thresholds": None}) if (row.task, row.strategy) == ("digits-lt", "none") else row
        for row in simulated.study.strategies
    ]
    store.begin(replace(simulated.study, strategies=strategies, environment={"device": "cpu", "torch": "2"}))
    for record in simulated.records:
        adjusted = replace(record.evaluation("chosen", "test"), nll=0.5, adjustment="thresholds")
        on_valid = replace(record.evaluation("chosen", "test"), split="valid")
        store.add(replace(record, evaluations=[*record.evaluations, on_valid, adjusted]))
    write_tables(load_study(store).results(), store.directory / "tables")
    return store.directory


def test_means_and_sds_of_the_quality_table_follow_from_the_numbers_of_every_run(directory: Path) -> None:
    per_seed = pd.read_csv(directory / "tables" / "per_seed.csv")
    assert list(per_seed) == ["task", "learner", "strategy", "configuration", "seed", "metric", "value"]
    quality = pd.read_csv(directory / "tables" / "quality.csv").query("status == 'complete'")
    by_metric = per_seed.groupby(["task", "strategy", "metric"])["value"].agg(["mean", "std"])
    compared = 0
    for row in quality.to_dict("records"):
        for name in (column.removesuffix("_mean") for column in quality if column.endswith("_mean")):
            if not np.isnan(row[f"{name}_mean"]):
                expected = by_metric.loc[(row["task"], row["strategy"], name)]
                assert expected.tolist() == pytest.approx([row[f"{name}_mean"], row[f"{name}_sd"]], abs=1e-6)
                compared += 1
    assert compared > 40
    assert {"thresholds", "none"} <= set(per_seed[per_seed.task == "digits-lt"].strategy)  # post-hoc baselines too
    assert per_seed.query("strategy == 'thresholds' and metric == 'nll'")["value"].tolist() == [0.5] * 3


def test_means_on_the_page_and_centres_of_its_intervals_follow_too(directory: Path) -> None:
    study = bench.load(directory)
    assert {"tags", "digits-lt"} == set(study.differences["task"])
    values = study.per_seed.query("metric == 'macro_f1'").pivot_table("value", ["task", "strategy"], "seed")
    for row in study.differences.itertuples():
        gains = values.loc[(row.task, row.strategy)] - values.loc[(row.task, "none")]
        assert row.difference == pytest.approx(gains.mean(), abs=1e-9)
        assert row.n == 3
        assert (row.low + row.high) / 2 == pytest.approx(gains.mean(), abs=1e-9) or np.isnan(row.low)
        page = (directory / "tables" / "quality.md").read_text(encoding="utf-8").split(f"## {row.task}")[1]
        mean = values.loc[(row.task, row.strategy)].mean()
        assert re.search(rf"\| {row.strategy} +\| +{mean:.3f} ±", page)


def test_frames_are_those_of_the_files_and_say_what_they_hold(directory: Path) -> None:
    study = bench.load(str(directory))
    for name in ("per_seed", "quality", "recall", "cost"):
        written = pd.read_csv(directory / "tables" / f"{name}.csv", dtype={"class": str})
        assert list(getattr(study, name)) == list(written)
        assert len(getattr(study, name)) == len(written)
    assert f"per_seed: {len(study.per_seed)} rows" in repr(study)


def test_runs_of_a_strategy_that_lacks_seeds_are_listed(directory: Path) -> None:
    per_seed = bench.load(directory).per_seed
    assert set(per_seed.query("task == 'tags' and strategy == 'focal'")["seed"]) == {0}


def test_a_metric_that_tables_have_no_column_of_and_the_configuration_are_listed(tmp_path: Path) -> None:
    facts = task_facts("rows", ["no", "yes"])
    costs = tmp_path / "costs.csv"
    costs.write_text(",no,yes\nno,0,1\nyes,4,0\n")
    study = simulate_study([facts], ["none"], seeds=1)
    row = replace(study.strategies[0], configuration="learning rate 0.01")
    protocols = {"rows": {"model": "mlp"}}
    study = replace(
        study, strategies=[row], metric=str(costs), protocols=protocols, environment={"device": "cpu", "torch": "2"}
    )
    evaluations = [
        Evaluation(checkpoint, split, [[6, 1], [2, 1]], 0.3)  # type: ignore[arg-type]
        for checkpoint, split in (("chosen", "valid"), ("chosen", "test"), ("last", "test"))
    ]
    store = Store(tmp_path / "out")
    store.begin(study)
    store.add(replace(simulate_record(facts, "none", 0), evaluations=evaluations))
    per_seed = bench.load(tmp_path / "out").per_seed.set_index("metric")
    assert per_seed.loc["cost (costs.csv)", "value"] == pytest.approx((1 + 2 * 4) / 10)
    assert per_seed.loc["accuracy", ["learner", "configuration"]].tolist() == ["mlp", "learning rate 0.01"]


def test_a_directory_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no study"):
        bench.load(tmp_path)
