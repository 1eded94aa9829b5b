"""The commands list, status, report and run --dry-run: what they print, and what they leave alone."""

from __future__ import annotations

import json
import platform
import re
import shlex
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from command_line import ROWS_OF_SUITE, RUNS, Answer, all_files, assert_refused, quality_tables

from bench.estimators.estimator_table import ESTIMATORS
from bench.planning.suite import suites
from bench.records.record import Failure
from bench.records.store import Store
from bench.report.results_directory import load_study
from bench.tasks import known_tasks
from strategies import names


def test_report_writes_the_same_quality_tables_again_and_prints_their_paths(imbench, earlier):
    tables = quality_tables(earlier)
    shutil.rmtree(earlier / "tables")
    answer = imbench("report", earlier)
    assert (answer.code, answer.err) == (0, "")
    assert {str(earlier / "tables" / name) for name in tables} <= set(answer.out.splitlines())
    assert all(Path(line).is_file() for line in answer.out.splitlines())
    assert quality_tables(earlier) == tables


def test_report_refuses_a_metric_that_no_task_has_in_one_line(imbench, earlier):
    (earlier / "costs.csv").write_text(",a,b\na,0,1\nb,1,0\n")
    for metric, why in (("f1", "'f1'; give macro-f1"), (earlier / "costs.csv", "must name each class of the task")):
        assert_refused(imbench("report", earlier, "--metric", metric), why)
    assert Store(earlier).study().metric == "macro-f1"


def test_quiet_commands_print_nothing_and_do_the_same(imbench, place, earlier):
    tables = quality_tables(earlier)
    shutil.rmtree(earlier / "tables")
    assert imbench("report", earlier, "--quiet") == Answer(0, "", "")
    assert quality_tables(earlier) == tables
    shutil.rmtree(earlier / "tables")
    assert imbench("run", place.suite, "--out", earlier, "--quiet") == Answer(0, "", "")
    assert quality_tables(earlier) == tables


def test_status_counts_runs_done_failed_and_missing_and_names_skipped_strategies(imbench, earlier):
    store = Store(earlier)
    first, second, *_ = store.study().strategies
    for seed in (0, 1):
        (earlier / "runs" / f"{first.runs[seed]}.json").unlink()
    for seed in (1, 2):  # seed 2 has a record too, as after a kill between writing it and removing the failure
        store.add(Failure(first.runs[seed], first.task, first.strategy, seed, "out of luck"))
    (earlier / "runs" / f"{second.runs[2]}.json").write_text("{")
    answer = imbench("status", earlier, "--json")
    assert answer.code == 0
    rows = json.loads(answer.out)
    assert [(row["task"], row["strategy"]) for row in rows] == ROWS_OF_SUITE
    assert [tuple(row[key] for key in ("planned", "done", "failed", "missing")) for row in rows] == [
        (3, 1, 1, 1),
        (3, 2, 0, 1),
        (0, 0, 0, 0),
        (3, 3, 0, 0),
        (3, 3, 0, 0),
    ]
    assert [bool(row["skipped"]) for row in rows] == [strategy == "sentence-weights" for _, strategy in ROWS_OF_SUITE]
    table = imbench("status", earlier)
    assert table.code == 0
    assert all(word in table.out for word in ("planned", "missing", "digits-lt"))


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_record_that_cannot_be_read_is_reported_with_its_file(imbench, earlier, command):
    planned = Store(earlier).study().strategies[1]
    damaged = earlier / "runs" / f"{planned.runs[2]}.json"
    damaged.write_text("{")
    answer = imbench(command, earlier)
    why = "its record cannot be read; running the suite again replaces it"
    assert (answer.code, answer.err) == (
        0,
        f"imbench: warning: {damaged}: {planned.strategy} on {planned.task}, seed 2: {why}\n",
    )
    if command == "report":
        assert f"seed 2: {why}" in (earlier / "tables" / "quality.md").read_text()


@pytest.mark.parametrize("columns", ["80", "30"])
@pytest.mark.parametrize("arguments", [("status",), ("run", "--dry-run"), ("list",)], ids=" ".join)
def test_where_the_output_is_not_a_terminal_every_name_is_whole_on_its_line(
    imbench, place, earlier, monkeypatch, arguments, columns
):
    monkeypatch.setenv("COLUMNS", columns)
    command, *options = arguments
    directory = {"status": [earlier], "run": [place.suite, "--out", earlier], "list": []}[command]
    answer = imbench(command, *directory, *options)
    lines = [line.split() for line in answer.out.splitlines()]
    if command == "list":
        assert tuple(line[0] for line in lines) == names()
    else:
        begin = next(place for place, line in enumerate(lines) if line[:2] == ["task", "strategy"])
        assert [tuple(line[:2]) for line in lines[begin + 1 : begin + 6]] == ROWS_OF_SUITE
        assert any(line.startswith("skipped: sentence-weights on digits-lt: ") for line in answer.out.splitlines())


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("strategies", names()),
        ("tasks", tuple(known_tasks())),
        ("models", ("window-tagger", "bilstm-tagger", "mlp", *(estimator.name for estimator in ESTIMATORS))),
        ("suites", tuple(suites())),
    ],
)
def test_list_prints_names_and_descriptions_as_a_table_and_as_json(imbench, what, expected):
    answer = imbench("list", what, "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = json.loads(answer.out)
    assert tuple(row["name"] for row in rows) == expected
    assert all(row["description"] for row in rows)
    table = imbench("list", what)
    assert (table.code, table.err) == (0, "")
    assert all(name in table.out for name in expected)


def test_a_dry_run_prints_the_plan_with_its_estimated_time_and_writes_nothing(imbench, place, tmp_path):
    answer = imbench("run", place.suite, "--out", tmp_path / "new", "--workers", 2, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert f"{RUNS} runs to train, estimated time " in answer.out
    assert "with 2 workers on cpu, and about " in answer.out
    assert "digits-lt: 1 stack of 6: " in answer.out
    assert " MB per run\n" in answer.out
    assert re.search(r"^3 stacks, a worker takes about \d+ MB$", answer.out, re.MULTILINE)
    assert "an item has one" in answer.out
    assert not (tmp_path / "new").exists()


def test_a_quiet_dry_run_prints_the_plan_that_was_asked_for(imbench, place, tmp_path):
    loud, quiet = (
        imbench("run", place.suite, "--out", tmp_path / "new", "--workers", 2, "--dry-run", *option)
        for option in ((), ("--quiet",))
    )
    notes = "".join(line + "\n" for line in loud.out.splitlines() if line.startswith("note: "))
    without_progress = "".join(line for line in loud.out.splitlines(keepends=True) if not line.endswith(" ...\n"))
    loud_text, quiet_text = (
        re.sub(r"[\d.]+ (s|min|MB)\b( \d+ s)?", "measured", text) for text in (without_progress, notes + quiet.out)
    )
    assert (quiet.code, quiet.err, quiet_text) == (loud.code, loud.err, loud_text)
    assert "estimated time" in quiet.out


def test_a_dry_run_counts_finished_runs(imbench, place, earlier):
    before = all_files(earlier)
    answer = imbench("run", place.suite, "--out", earlier, "--dry-run", "--task", "digits-lt", "--seeds", 5)
    assert "4 runs to train, estimated time " in answer.out
    lines = [line.split() for line in answer.out.splitlines() if line.startswith("digits-lt")]
    assert [line[1:4] for line in lines[:2]] == [
        ["none", "2", "3"],
        ["smote", "2", "3"],
    ]
    assert all_files(earlier) == before


def test_the_old_name_of_the_metric_works_and_is_not_in_the_help(imbench, place, earlier, tmp_path):
    new, old = (imbench("report", earlier, option, "balanced-accuracy") for option in ("--metric", "--objective"))
    assert (old.code, old.err, old.out) == (0, "", new.out)
    assert "balanced accuracy" in (earlier / "report.md").read_text()
    unknown = imbench("run", place.suite, "--out", tmp_path / "new", "--objective", "f1", "--dry-run")
    assert_refused(unknown, "'f1'; give macro-f1")
    for command in ("run", "report"):
        answer = imbench(command, "--help")
        assert "--metric" in answer.out
        assert "objective" not in answer.out


def test_the_version_is_that_of_the_package_with_those_its_numbers_depend_on(imbench):
    answer = imbench("--version")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        f"imbench {version('imbalance-bench')} (Python {platform.python_version()}, torch {version('torch')})\n"
    )


def test_run_without_a_suite_lists_the_suites(imbench):
    answer = imbench("run")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert [line.split()[0] for line in answer.out.splitlines()] == suites()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("quik", "did you mean quick?"),
        ("ful", "did you mean full?"),
        ("Tuned", "did you mean tuned?"),
        ("learn", "did you mean learning?"),
        ("smal.toml", "did you mean small.toml?"),
        ("xyz", "a suite is full, learning, quick, tuned,"),
    ],
)
def test_a_suite_that_does_not_exist_is_answered_with_the_nearest_ones(imbench, place, monkeypatch, given, hint):
    monkeypatch.chdir(place.directory)
    assert_refused(imbench("run", given), f"no suite '{given}': {hint} ")


@pytest.mark.parametrize(
    ("options", "directory"),
    [
        ([], "small-cpu"),
        (["--steps", 40], "small-40-steps-cpu"),
        (["--task", "conll:corpora/mine"], "small-mine-cpu"),
        (["--model", "mine.py:make", "--task", "digits-lt"], "small-mine-cpu"),
    ],
)
def test_a_users_data_or_model_and_another_number_of_steps_have_a_directory_of_their_own(
    imbench, place, engine, tmp_path, monkeypatch, options, directory
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bench.cli._run_study", lambda runner, *_, **__: print(runner.store.directory))
    (tmp_path / "corpora" / "mine").mkdir(parents=True)
    for part in ("train", "valid", "test"):
        (tmp_path / "corpora" / "mine" / f"{part}.txt").write_text("Ada B-PER\nsmiled O\n\nBob B-PER\n")
    (tmp_path / "mine.py").write_text("from torch import nn\ndef make(s): return nn.Linear(s.features, s.classes)\n")
    answer = imbench("run", place.suite, *options)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == f"results/{directory}"


def test_a_margin_is_used_kept_and_refused_where_it_is_none(imbench, place, earlier):
    assert "Differences below 0.01 do not matter" in report_of(imbench, earlier)
    assert "Differences below 0.2 do not matter" in report_of(imbench, earlier, "--margin", 0.2)
    assert Store(earlier).study().margin is None, "a report changes nothing"
    assert imbench("run", place.suite, "--out", earlier, "--margin", 0.3, "--quiet").code == 0
    assert Store(earlier).study().margin == 0.3
    assert imbench("run", place.suite, "--out", earlier, "--quiet").code == 0
    assert "Differences below 0.3 do not matter" in report_of(imbench, earlier)
    for margin in ("0", "-0.1", "inf", "nan"):
        assert_refused(imbench("report", earlier, f"--margin={margin}"), "give a number above 0")
    for command in (["report", earlier], ["run", place.suite, "--out", earlier, "--metric", "balanced-accuracy"]):
        assert_refused(imbench(*command, "--margin=1"), "is between 0 and 1; give a margin below 1")


def report_of(imbench, directory, *options):
    assert imbench("report", directory, "--quiet", *options).code == 0
    return (directory / "report.md").read_text()


def test_the_commands_of_a_study_resume_it(imbench, place, earlier):
    """The command is the one that was typed, with more seeds, in the directory where the study now is."""
    options = ("--task", "digits-lt", "--strategy", "smote", "--strategy", "loss-weights(power=0.5)")
    assert imbench("run", place.suite, "--out", earlier, "--seeds", 3, *options, "--quiet").code == 0
    words = shlex.split(f"run {place.suite}") + list(options)
    first, second = Store(earlier).study().commands
    assert shlex.split(second)[1:4] == ["run", str(place.suite), "--strategy"]
    assert sorted(shlex.split(second)[1:]) == sorted(words)
    assert shlex.split(first) == ["imbench", "run", str(place.suite)]
    commands = load_study(Store(earlier)).study.commands
    assert [shlex.split(command)[-2:] for command in commands] == [["--out", str(earlier)]] * 2
    answer = imbench(*shlex.split(commands[1])[1:], "--seeds", 4, "--dry-run")
    assert answer.code == 0, answer.err


def test_tables_for_latex_are_written_on_request_for_one_directory(imbench, earlier):
    asked = imbench("report", earlier, "--latex")
    assert asked.code == 0
    assert str(earlier / "tables" / "quality.tex") in asked.out.splitlines()
    assert r"\toprule" in (earlier / "tables" / "quality.tex").read_text(encoding="utf-8")
    refused = imbench("report", earlier, earlier, "--latex")
    assert refused.code == 2
    assert "give one, or leave --latex out" in refused.err
