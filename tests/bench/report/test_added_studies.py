"""A later command in the same directory: what it adds is said, shared runs get every evaluation, and all outputs agree."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from command_line import Answer, Imbench, InProcessEngine, write_digits_suite
from simulated_study import run_id, simulate_study, task_facts

from bench.records.compared_seeds import with_compared_seeds
from bench.records.merge import describe_addition, merge_studies
from bench.records.record import PlannedStrategy, Study

FACTS = task_facts("tags", ["O", "PER", "LOC"])


def plan(strategies: list[str], seeds: int) -> Study:
    """A study in which thresholds and prior-correction adjust the runs of the baseline."""
    study = simulate_study([FACTS], strategies, seeds)
    return dataclasses.replace(study, strategies=[adjusted(row) for row in study.strategies])


def adjusted(row: PlannedStrategy) -> PlannedStrategy:
    if row.strategy not in ("thresholds", "prior-correction"):
        return row
    runs = {seed: run_id(row.task, "none", seed) for seed in row.runs}
    return dataclasses.replace(row, runs=runs, adjustment=row.strategy, trained_as="none")


def seeds_of(study: Study) -> dict[str, list[int]]:
    return {row.strategy: list(row.runs) for row in study.strategies}


@pytest.mark.parametrize(
    ("before", "later"), [("none", "thresholds"), ("thresholds", "none"), ("prior-correction", "thresholds")]
)
def test_strategies_that_are_evaluations_of_the_same_runs_get_the_same_seeds(before, later):
    merged = merge_studies(plan([before, "focal"], 2), plan([later], 3))
    assert seeds_of(merged) == {before: [0, 1], "focal": [0, 1], later: [0, 1, 2]} | {before: [0, 1, 2]}


def test_the_seeds_of_a_tuned_strategy_are_shared_configuration_by_configuration():
    from bench.records.record import PlannedConfiguration

    def tuned(seeds: int, strategy: str, adjustment: str) -> PlannedStrategy:
        configurations = [
            PlannedConfiguration(label, {seed: f"{label}/{seed}" for seed in range(seeds)}, adjustment)
            for label in ("slow", "fast")
        ]
        return PlannedStrategy("tags", strategy, configurations=configurations)

    before = dataclasses.replace(plan([], 0), strategies=[tuned(2, "thresholds", "thresholds")])
    later = dataclasses.replace(plan([], 0), strategies=[tuned(3, "none", "raw")])
    for row in merge_studies(before, later).strategies:
        assert [one.runs for one in row.configurations] == [
            {seed: f"{label}/{seed}" for seed in range(3)} for label in ("slow", "fast")
        ]


@pytest.mark.parametrize(
    ("later", "described"),
    [
        (plan(["none", "focal"], 2), ""),
        (plan(["none"], 1), ""),
        (plan(["none", "focal"], 3), "tags: seed 2"),
        (plan(["smote"], 2), "tags: smote"),
        (
            dataclasses.replace(plan(["none"], 2), metric="balanced-accuracy"),
            "decided by balanced-accuracy, no longer by macro-f1",
        ),
        (plan(["focal", "smote"], 4), "tags: seed 2, 3 and smote"),
        (
            dataclasses.replace(plan(["none"], 2), protocols={"tags": {"steps": 40}}),
            "tags anew, since its protocol has changed, steps from 300 to 40, batch_size from 256 to None, learning_rate from "
            "0.003 to None: earlier runs are not compared",
        ),
        (
            dataclasses.replace(plan(["none"], 2), tasks=[dataclasses.replace(FACTS, items=7)]),
            "tags anew, since its data have changed: earlier runs are not compared",
        ),
    ],
)
def test_what_a_later_command_adds_is_described(later, described):
    assert describe_addition(plan(["none", "focal"], 2), later) == described


def test_a_strategy_added_to_a_declared_family_is_said_to_be_exploratory():
    known = dataclasses.replace(plan(["none", "focal"], 2), primary={"tags": ["focal"]})
    assert describe_addition(known, plan(["smote"], 2)) == (
        "tags: smote (exploratory, because the primary family was declared before)"
    )
    declared = dataclasses.replace(plan(["smote"], 2), primary={"tags": ["smote"]})
    assert describe_addition(known, declared) == "tags: smote"


def test_the_seeds_of_the_baseline_are_those_of_the_comparison():
    rows = [*plan(["none"], 3).strategies, *plan(["focal"], 5).strategies, *plan(["smote"], 1).strategies]
    study = with_compared_seeds(dataclasses.replace(plan([], 0), strategies=rows))
    assert seeds_of(study) == {name: [0, 1, 2] for name in ("none", "focal", "smote")}
    assert [id for _, id, _ in study.strategies[2].planned_runs()] == [run_id("tags", "smote", 0), "", ""]
    (note,) = [note for note in study.notes if "not compared" in note]
    assert "tags: seed 3, 4 is not compared, because the baseline has not been run with it" in note
    for alike in (plan(["none", "focal"], 3), plan(["focal"], 3)):
        assert with_compared_seeds(alike) == alike


@pytest.fixture
def two_commands(imbench: Imbench, engine: InProcessEngine, tmp_path: Path) -> tuple[Path, Answer]:
    """Two seeds of five strategies, then three seeds of four; the second command's answer."""
    suite, out = write_digits_suite(tmp_path), tmp_path / "out"

    def run(seeds: int, *strategies: str) -> Answer:
        options = [option for strategy in strategies for option in ("--strategy", strategy)]
        return imbench("run", suite, "--out", out, "--seeds", seeds, *options)

    assert run(2, "none", "focal", "loss-weights", "thresholds", "logit-adjustment").code == 0
    return out, run(3, "none", "loss-weights", "logit-adjustment", "smote")


def test_after_a_later_command_status_tables_and_page_agree(two_commands, imbench):
    out, answer = two_commands
    assert answer.code == 0
    assert f"note: adds to an earlier study in {out}: digits-lt: seed 2 and smote\n" in answer.out
    rows = {row["strategy"]: row for row in json.loads(imbench("status", out, "--json").out)}
    assert {name: (row["planned"], row["done"], row["missing"]) for name, row in rows.items()} == {
        **dict.fromkeys(("none", "loss-weights", "logit-adjustment", "smote"), (3, 3, 0)),
        "thresholds": (3, 3, 0),  # an evaluation of the baseline's runs
        "focal": (3, 2, 1),
    }
    quality = pd.read_csv(out / "tables" / "quality.csv")
    complete = {name for name, row in rows.items() if not row["missing"]}
    assert set(quality.loc[quality["status"] == "complete", "strategy"]) == complete
    page = (out / "report.md").read_text()
    assert re.search(r"3 seeds\)", page)
    assert "| focal " in page.partition("not trained yet")[0].splitlines()[-1]
    assert answer.out.splitlines()[-2].startswith("digits-lt: ")
    assert "has no number" not in page
