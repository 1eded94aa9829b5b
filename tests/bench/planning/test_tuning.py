"""Equal tuning: a grid of one size for every strategy, with a run of each configuration under each seed; and a whole study."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import cli
from bench.engine.events import Finished
from bench.engine.time_estimate import TimeEstimate
from bench.errors import InputError
from bench.planning.grid import Grid
from bench.planning.plan import make_plan
from bench.planning.protocol import ROWS
from bench.planning.suite import read_suite
from bench.records.merge import merge_studies
from bench.records.record import (
    VALIDATION_LABELS_ADDED,
    PlannedStrategy,
    Study,
    TaskFacts,
)
from bench.records.store import Store
from bench.report.results_directory import load_study
from bench.report.titles import display_name
from bench.text.markdown import escape_markdown
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import parse

CPU = torch.device("cpu")
TEXT = """\
title = "Tuned"
seeds = 2

[[block]]
task = "digits-lt"
protocol = { steps = 40, validate_every = 20 }
strategies = ["none", "focal", "smote", "thresholds", "post-hoc-adjustment", "sentence-weights"]
primary = ["focal", "smote"]
post_hoc = ["thresholds", "prior-correction"]

[block.tuning]
size = 3
learning_rate = [1e-3, 3e-3, 0.01]
"focal" = ["focal(gamma=0.5)", "focal(gamma=1)", "focal"]
"post-hoc-adjustment" = ["post-hoc-adjustment(tau=0.5)", "post-hoc-adjustment", "post-hoc-adjustment(tau=1.5)"]
"""
RATES = ["learning_rate=0.001", "learning_rate=0.003", "learning_rate=0.01"]


@pytest.fixture
def suite(tmp_path: Path):
    """Writes TEXT with one passage changed, as a file, and gives its path."""

    def write(old: str = "", new: str = "") -> str:
        assert old in TEXT
        path = tmp_path / "tuned.toml"
        path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        return str(path)

    return write


def planned(path: str, seeds: int = 2):
    return make_plan(dataclasses.replace(read_suite(path), seeds=seeds), CPU)


def rows_of(study: Study) -> dict[str, PlannedStrategy]:
    return {row.strategy: row for row in study.strategies}


# The grid


def test_every_strategy_has_as_many_configurations_its_own_or_else_learning_rates(suite):
    study = planned(suite()).study
    labels = {name: [each.label for each in row.configurations] for name, row in rows_of(study).items()}
    assert labels == {
        "none": RATES,
        VALIDATION_LABELS_ADDED: RATES,
        "focal": ["focal(gamma=0.5)", "focal(gamma=1.0)", "focal"],
        "smote": RATES,
        "thresholds": RATES,
        "post-hoc-adjustment": [
            "post-hoc-adjustment(tau=0.5)",
            "post-hoc-adjustment",
            "post-hoc-adjustment(tau=1.5)",
        ],
        "sentence-weights": [],
    }
    assert rows_of(study)["sentence-weights"].skipped
    assert all(not row.runs for row in study.strategies)


def edges(values: str, title: str = "focal") -> list[bool]:
    """Return whether each configuration of a grid, such as `ldam(scale=10) ldam`, is at its edge."""
    own = {parse(title): tuple(map(parse, values.split()))}
    return [each.at_edge for each in Grid((1.0,), own).configurations(parse(title), ROWS)]


def test_the_lowest_and_the_highest_value_are_at_the_edge_in_any_order(suite):
    study = planned(suite("1e-3, 3e-3, 0.01", "3e-3, 0.01, 1e-3")).study
    found = {name: [each.at_edge for each in row.configurations] for name, row in rows_of(study).items()}
    assert found["none"] == found["smote"] == found["thresholds"] == [False, True, True]
    assert found["focal"] == found["post-hoc-adjustment"] == [True, False, True]
    assert edges("focal(gamma=1) focal(gamma=0.5) focal") == [False, True, True]  # the default is 2
    combined = ["focal+thresholds", "focal(gamma=0.5)+thresholds", "focal(gamma=5)+thresholds"]
    assert edges(" ".join(combined), combined[0]) == [False, True, True]


@pytest.mark.parametrize(
    "values",
    [
        "ldam(scale=10) ldam ldam(max_margin=0.3)",
        "thresholds thresholds(balanced-accuracy) thresholds(worst-class-recall)",
        "loss-weights(power=0.25) loss-weights(power=0.5,reduction=mean) loss-weights",
    ],
)
def test_a_grid_whose_values_have_no_order_has_no_edge(values):
    assert edges(values, values.split()[1].partition("(")[0]) == [False, False, False]


def test_a_study_written_before_there_were_edges_is_read_without_edges(suite, tmp_path: Path):
    study = planned(suite()).study
    Store(tmp_path).begin(study)
    path = tmp_path / "study.json"
    before = json.loads(path.read_text())
    edges = [each.pop("edge") for row in before["rows"] for each in row["candidates"]]
    assert any(edges)
    path.write_text(json.dumps(before))
    read = Store(tmp_path).study()
    assert not any(each.at_edge for row in read.strategies for each in row.configurations)
    assert merge_studies(read, study).strategies == study.strategies, "the edges of the next plan are lost"


def test_every_configuration_has_its_own_runs_and_equal_runs_are_trained_once(suite):
    plan = planned(suite())
    asked = {(t.name, t.protocol.learning_rate, t.seed): t for t in plan.runs}
    assert len(asked) == len(plan.runs)
    assert set(asked) == {
        (strategy, rate, seed)
        for seed in (0, 1)
        for strategy, rate in [
            *(
                ("none", rate) for rate in (1e-3, 3e-3, 1e-2)
            ),  # thresholds and post-hoc adjustment are evaluations of these
            *((VALIDATION_LABELS_ADDED, rate) for rate in (1e-3, 3e-3, 1e-2)),
            *(("smote", rate) for rate in (1e-3, 3e-3, 1e-2)),
            *((f"focal{gamma}", 1e-3) for gamma in ("(gamma=0.5)", "(gamma=1.0)", "")),
        ]
    }
    under = {str(each) for each in asked["none", 1e-3, 0].adjustments}
    own = {"post-hoc-adjustment(tau=0.5)", "post-hoc-adjustment", "post-hoc-adjustment(tau=1.5)"}
    assert under == {"thresholds", "prior-correction", *own}
    assert {str(each) for each in asked["none", 1e-2, 0].adjustments} == {"thresholds", "prior-correction"}


def test_a_configuration_has_the_runs_of_an_untuned_strategy_with_its_parameters(suite):
    found = rows_of(planned(suite()).study)["none"]
    plain = TEXT.partition("[block.tuning]")[0].replace(
        "validate_every = 20", "validate_every = 20, learning_rate = 0.01"
    )
    untuned = rows_of(planned(suite(TEXT, plain)).study)["none"]
    assert found.configurations[2].runs == untuned.runs


def test_post_hoc_adjustments_are_planned_for_trained_strategies_with_a_reason_where_there_is_no_prior(suite):
    rows = rows_of(planned(suite()).study)
    assert rows["smote"].post_hoc == {"thresholds": None, "prior-correction": None}
    assert rows["focal"].post_hoc["thresholds"] is None
    assert "class prior" in rows["focal"].post_hoc["prior-correction"]
    assert rows["thresholds"].post_hoc == rows["post-hoc-adjustment"].post_hoc == {}
    assert {tuple(asked) for _, _, asked in rows["focal"].planned_runs()} == {("thresholds",)}


def test_the_baseline_with_validation_labels_has_a_run_for_each_of_the_baselines_and_no_adjustments(suite):
    plan = planned(suite())
    rows, runs = rows_of(plan.study), {run.id: run for run in plan.runs}
    row = rows[VALIDATION_LABELS_ADDED]
    for configuration, of_baseline in zip(row.configurations, rows["none"].configurations, strict=True):
        assert configuration.label == of_baseline.label
        for seed, id in configuration.runs.items():
            assert runs[id].adds_validation
            assert runs[id].baseline.id == of_baseline.runs[seed]
            assert not runs[id].adjustments
    silent = planned(suite('post_hoc = ["thresholds", "prior-correction"]\n', "")).study
    assert VALIDATION_LABELS_ADDED not in rows_of(silent)
    assert VALIDATION_LABELS_ADDED not in plan.study.primary_family("digits-lt")
    without_baseline = planned(suite('["none", "focal",', '["focal",')).study
    assert VALIDATION_LABELS_ADDED not in rows_of(without_baseline)


@pytest.mark.parametrize(
    ("metric", "adjustment"),
    [("macro-f1", "thresholds"), ("worst-class-recall", "thresholds(worst-class-recall)")],
)
def test_thresholds_are_tuned_for_the_metric_post_hoc_or_as_a_strategy(suite, metric, adjustment):
    study = make_plan(read_suite(suite()), CPU, metric).study
    assert list(rows_of(study)["none"].post_hoc) == [adjustment, "prior-correction"]
    assert {each.adjustment for each in rows_of(study)["thresholds"].configurations} == {adjustment}


def test_more_seeds_join_each_configuration_and_another_grid_replaces_the_first(suite):
    two, three = planned(suite(), 2).study, planned(suite(), 3).study
    assert merge_studies(two, three).strategies == merge_studies(three, two).strategies == three.strategies
    other = planned(suite("0.01]", "0.03]"), 2).study
    both = rows_of(merge_studies(three, other))
    assert both["none"] == rows_of(other)["none"]
    assert both["focal"] == rows_of(three)["focal"]


OF_FOCAL = '"focal" = ["focal(gamma=0.5)", "focal(gamma=1)", "focal"]'
BAD = {
    "grids of unequal size": ("3e-3, 0.01]", "3e-3]", 13, "learning_rate must be a list of 3 configurations, as many"),
    "a longer list": ('gamma=1)", "focal"]', 'gamma=1)", "focal", "focal(gamma=5)"]', 14, "focal must be a list"),
    "one value for a list": ("[1e-3, 3e-3, 0.01]", "1e-3", 13, "learning_rate must be a list of 3 configurations"),
    "no size": ("size = 3\n", "", 11, "must be a whole number, 2 or more"),
    "nothing at all": (TEXT.partition("[block.tuning]\n")[2], "", 11, "must be a whole number, 2 or more"),
    "a grid of one": ("size = 3", "size = 1", 12, "must be a whole number, 2 or more"),
    "no learning rates": ("learning_rate = [1e-3, 3e-3, 0.01]\n", "", 12, "the key 'learning_rate' is missing"),
    "no rate at all": ("3e-3,", "0.0,", 13, "learning_rate must be above 0; given: 0.0"),
    "a rate in words": ("3e-3,", '"low",', 13, "learning_rate must be of type float; given: 'low'"),
    "a rate twice": ("3e-3,", "1e-3,", 13, "holds a configuration twice"),
    "a configuration twice": ("gamma=1)", "gamma=2.0)", 14, "holds a configuration twice"),
    "another strategy's configuration": ('"focal(gamma=1)"', '"ldam"', 14, "ldam is not focal with other hyper-parameters"),
    "a configuration mistyped": ("gamma=1)", "gama=1)", 14, "did you mean gamma?"),
    "a strategy that is not in the block": (OF_FOCAL, '"ldam" = [1, 2, 3]', 14, "ldam is not among"),
    "a configuration that is a number": ('"focal(gamma=1)"', "1", 14, "a strategy must be a string; given: 1"),
    "a primary strategy of another block": ('["focal", "smote"]', '["focal", "adasyn"]', 8, "adasyn is not among the block's"),
    "a primary strategy mistyped": ('["focal", "smote"]', '["focl"]', 8, "did you mean focal?"),
    "eleven primary strategies": ('["focal", "smote"]', str([*"abcdefghijk"]), 8, "primary may hold 10 strategies; given: 11"),
    "adjustment that is trained": ('post_hoc = ["thresholds"', 'post_hoc = ["smote"', 9, "smote needs training runs"),
    "adjustment of another strategy": ('post_hoc = ["thresholds"', 'post_hoc = ["smote+thresholds"', 9, "needs training runs"),
    "old key with a trained strategy": ('post_hoc = ["thresholds"', 'free = ["smote"', 9, "free: smote needs training runs"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_an_invalid_grid_family_or_adjustment_is_refused_with_its_line(suite, case):
    old, new, line, why = BAD[case]
    path = suite(old, new)
    with pytest.raises(InputError) as error:
        read_suite(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert why in str(error.value)
    assert "\n" not in str(error.value)


# The primary family


def facts() -> TaskFacts:
    return TaskFacts("small", "", "natural", ["a", "b"], [10, 10], 20, None, [], resplit=None)


def test_the_declared_family_is_kept_and_without_one_it_is_the_first_ten():
    names = [f"s{n}" for n in range(12)]
    rows = [PlannedStrategy("small", name, skipped="no" if name == "s1" else None) for name in ["none", *names]]
    plain = Study("small", [facts()], rows, {}, [])
    assert plain.primary_family("small") == [name for name in names if name != "s1"][:10]
    declared = dataclasses.replace(plain, primary={"small": ["s11", "none", "s1", "s0", "not run"]})
    assert declared.primary_family("small") == ["s11", "s0"]


def test_a_family_declared_in_the_suite_stays_when_a_later_study_adds_a_strategy(suite):
    study = planned(suite()).study
    assert study.primary == {"digits-lt": ["focal", "smote"]}
    later = dataclasses.replace(read_suite(suite()), seeds=1)
    later = dataclasses.replace(
        later, blocks=(dataclasses.replace(later.blocks[0], strategies=(parse("ldam"),), primary=None),)
    )
    assert merge_studies(study, make_plan(later, CPU).study).primary_family("digits-lt") == ["focal", "smote"]


# A whole run


def test_a_tuned_study_counts_its_configurations_and_reports_the_chosen_one(suite, monkeypatch, capsys, tmp_path: Path):
    out, path = tmp_path / "out", suite('strategies = ["none", "focal", "smote",', 'strategies = ["none", "focal",')
    Path(path).write_text(Path(path).read_text().replace('primary = ["focal", "smote"]\n', ""))

    def imbench(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["imbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        return capsys.readouterr().out

    monkeypatch.setattr("bench.engine.local_workers.run_stacks", in_this_process)
    monkeypatch.setattr("bench.report.write_figures", lambda *_: [])
    monkeypatch.setattr("bench.report.write_page", lambda *arguments: [])
    monkeypatch.setattr("bench.engine.study_runner.StudyRunner._measure_costs", lambda *_: [])  # which takes seconds
    monkeypatch.setattr("bench.engine.study_runner.estimate_time", lambda *_: TimeEstimate(0.0, 0.0, []))
    run = ["run", path, "--out", out, "--metric", "balanced-accuracy"]
    assert "18 runs to train, estimated time" in imbench(*run, "--dry-run")
    assert "18 of 18 runs done" in imbench(*run)
    status = json.loads(imbench("status", out, "--json"))
    assert {row["strategy"]: (row["planned"], row["done"]) for row in status} == {
        **dict.fromkeys(("none", VALIDATION_LABELS_ADDED, "focal", "thresholds", "post-hoc-adjustment"), (6, 6)),
        "sentence-weights": (0, 0),
    }
    store = Store(out)
    study = store.study()
    assert study.metric == "balanced-accuracy"
    chosen_rows = rows_of(load_study(store).study)
    assert chosen_rows[VALIDATION_LABELS_ADDED].configuration == chosen_rows["none"].configuration
    for row in chosen_rows.values():
        if row.skipped or row.strategy == VALIDATION_LABELS_ADDED:
            continue
        by_hand = {}
        for each in row.configurations:
            confusions = [
                np.array(store.record(id).evaluation("chosen", "valid", each.adjustment).confusion)
                for id in each.runs.values()
            ]
            by_hand[each.label] = np.mean([(np.diag(c) / c.sum(1)).mean() for c in confusions])
        assert by_hand[row.configuration] == max(by_hand.values())
        chosen = f"**{display_name(row.strategy)}**: {escape_markdown(row.configuration)}, one of 3"
        assert chosen in (out / "tables" / "quality.md").read_text()
    assert "18 of 18 runs done (18 before)" in imbench("run", path, "--out", out)
    assert store.study().metric == "balanced-accuracy"
    assert "untuned" not in (out / "tables" / "quality.md").read_text()


def in_this_process(stacks, *, workers: int, device: str):
    for stack in stacks:
        yield Finished([each for one in stack for each in train([one], device=torch.device(device), clock=Clock())])


def test_a_record_without_the_post_hoc_evaluations_counts_only_if_the_suite_does_not_ask_for_them(
    suite, tmp_path: Path
):
    plain = TEXT.partition("[block.tuning]")[0].replace("3200", "40")
    asking, silent = (
        planned(suite(TEXT, plain), 1),
        planned(suite(TEXT, plain.replace('post_hoc = ["thresholds", "prior-correction"]\n', "")), 1),
    )
    of = {str(t.strategy): t for t in silent.runs}
    (record,) = train([of["focal"]], device=CPU, clock=Clock())
    Store(tmp_path).add(record)

    def done(plan) -> bool:
        (each,) = [t for t in plan.runs if str(t.strategy) == "focal"]
        assert each.id == record.id
        return Store(tmp_path).record(each.id, map(str, each.adjustments)) is not None

    assert (done(silent), done(asking)) == (True, False)


@pytest.mark.parametrize("given", ["entity-f1", "f1", "costs.csv"])
def test_a_metric_that_a_task_does_not_have_is_refused_before_anything_is_trained(suite, given):
    with pytest.raises(InputError, match="digits-lt: "):
        make_plan(read_suite(suite()), CPU, given)
