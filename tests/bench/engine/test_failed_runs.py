"""Runs that fail: they are reported, kept, and trained again only on demand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Answer, quality_tables, write_digits_suite, write_times

import bench.engine.study_runner


@pytest.fixture
def one_failed(imbench, engine, tmp_path: Path) -> tuple[list[object], Answer]:
    """The arguments of a command of six runs, and its answer when one of them failed."""
    strategies = ["--strategy", "none", "--strategy", "loss-weights"]
    arguments = ["run", write_digits_suite(tmp_path), "--out", tmp_path / "out", "--seeds", 3, *strategies]
    engine.fails = lambda run: (str(run.strategy), run.seed) == ("loss-weights", 1)
    answer = imbench(*arguments)
    engine.trained.clear()
    return arguments, answer


def test_a_failed_run_is_reported_with_its_reason_and_exit_code_1(one_failed, imbench, tmp_path):
    answer = one_failed[1]
    assert (answer.code, answer.err) == (1, "")
    assert "failed: loss-weights on digits-lt, seed 1: out of luck" in answer.out
    rows = json.loads(imbench("status", tmp_path / "out", "--json").out)
    assert [(row["done"], row["failed"], row["missing"]) for row in rows] == [(3, 0, 0), (2, 1, 0)]
    assert "out of luck" in (tmp_path / "out" / "tables" / "quality.md").read_text()


def test_a_failed_run_is_trained_again_only_on_demand(one_failed, imbench, engine, tmp_path):
    arguments, _ = one_failed
    assert imbench(*arguments, "--quiet").code == 1
    assert engine.trained == []
    engine.fails = lambda run: False
    answer = imbench(*arguments, "--retry", "failed")
    assert (answer.code, answer.err) == (0, "")
    assert engine.trained == [("loss-weights", 1)]
    assert not write_times(tmp_path / "out", "failures")
    assert "out of luck" not in (tmp_path / "out" / "tables" / "quality.md").read_text()


def test_warnings_of_a_strategy_are_one_line_with_their_seeds(imbench, engine, tmp_path):
    arguments = ["run", write_digits_suite(tmp_path), "--out", tmp_path / "out", "--strategy", "adasyn"]
    lines = imbench(*arguments, "--task", "digits-lt", "--seeds", 5).out.splitlines()
    (warning,) = [line for line in lines if line.startswith("warning: ")]
    assert warning.startswith("warning: adasyn on digits-lt: fewer neighbours, for want of rows: ")
    assert warning.count("; ") > 0
    assert "(seed 1)" in warning


def test_an_earlier_failure_is_not_counted_as_done(one_failed, imbench):
    assert "5 of 6 runs done (5 before)" in imbench(*one_failed[0]).out


def test_a_dry_run_without_retry_does_not_count_failed_runs(one_failed, imbench):
    assert "0 runs to train, estimated time" in imbench(*one_failed[0], "--dry-run").out


def test_a_strategy_that_can_never_be_trained_leaves_its_failures_and_a_report(imbench, engine, monkeypatch, tmp_path):
    def broken(run, device):
        if str(run.strategy) == "loss-weights":
            raise RuntimeError("this strategy is cursed")
        return measure(run, device)

    measure = bench.engine.study_runner.measure_cost
    monkeypatch.setattr("bench.engine.study_runner.measure_cost", broken)
    engine.fails = lambda run: str(run.strategy) == "loss-weights"
    strategies = ["--strategy", "none", "--strategy", "loss-weights"]
    answer = imbench("run", write_digits_suite(tmp_path), "--out", tmp_path / "out", "--seeds", 1, *strategies)
    assert (answer.code, answer.err) == (1, "")
    assert len(quality_tables(tmp_path / "out")) == 2


def test_a_cost_that_cannot_be_measured_is_reported_and_loses_nothing(imbench, monkeypatch, tmp_path, engine):
    def broken(run, device):
        if str(run.strategy) == "focal":
            raise RuntimeError("no memory\nleft")
        return measure(run, device)

    measure = bench.engine.study_runner.measure_cost
    monkeypatch.setattr("bench.engine.study_runner.measure_cost", broken)
    strategies = ["--strategy", "none", "--strategy", "focal"]
    answer = imbench("run", write_digits_suite(tmp_path), "--out", tmp_path / "out", "--seeds", 1, *strategies)
    assert (answer.code, answer.err) == (0, "")
    assert "cost not measured: focal on digits-lt: RuntimeError: no memory left\n" in answer.out
    assert answer.out.endswith(f"report: {tmp_path / 'out' / 'report.html'}\n")
