"""A study stopped in every way and resumed: no run is trained twice, and none is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import (
    RUNS,
    STOPPED,
    Answer,
    Place,
    all_files,
    is_alive,
    quality_tables,
    wait_for_answer,
    wait_until,
    workers_of,
    write_times,
)


@dataclass(frozen=True)
class Interrupted:
    """One results directory: Ctrl-C, resumed, a worker killed and then the command itself, resumed to the end."""

    directory: Path
    ctrl_c: Answer
    after_ctrl_c: dict[str, int]
    seconds_until_orphans_were_gone: float
    after_kill: dict[str, int]
    failed_after_kill: list[str]
    last: Answer


@pytest.fixture(scope="module")
def interrupted(place: Place) -> Interrupted:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    directory = place.directory / "cut"

    def has_more_records_than(before: int) -> Callable[[], bool]:
        return lambda: before < len(write_times(directory)) < RUNS

    process = place.run("cut")
    wait_until(has_more_records_than(0), "some records", process)
    os.killpg(process.pid, signal.SIGINT)
    ctrl_c = wait_for_answer(process)
    after_ctrl_c = write_times(directory)

    process = place.run("cut")
    wait_until(lambda: len(workers_of(process)) == 2, "two workers", process)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    wait_until(has_more_records_than(len(after_ctrl_c)), "some more records", process)
    orphans = workers_of(process)
    process.kill()
    process.communicate()
    seconds = wait_until(lambda: not any(map(is_alive, orphans)), "the end of the workers")
    after_kill = write_times(directory)
    failed = sorted(write_times(directory, "failures"))

    # A worker that is killed while it trains one run leaves a failure; of several runs each is tried again.
    retry = ["--retry", "failed"] if failed else []
    last = wait_for_answer(place.run("cut", *retry, workers=1))
    return Interrupted(directory, ctrl_c, after_ctrl_c, seconds, after_kill, failed, last)


def test_ctrl_c_ends_a_study_with_one_line_and_keeps_finished_runs(interrupted):
    assert (interrupted.ctrl_c.code, interrupted.ctrl_c.err) == (130, STOPPED)
    assert 0 < len(interrupted.after_ctrl_c) < RUNS


def test_after_a_kill_the_workers_are_gone_within_seconds(interrupted):
    assert interrupted.seconds_until_orphans_were_gone < 5.0


def test_a_resumed_study_trains_only_the_missing_runs(interrupted):
    assert len(interrupted.after_ctrl_c) < len(interrupted.after_kill) < RUNS
    at_the_end = write_times(interrupted.directory)
    assert len(at_the_end) == RUNS
    assert interrupted.after_ctrl_c.items() <= interrupted.after_kill.items() <= at_the_end.items()
    assert (interrupted.last.code, interrupted.last.err) == (0, "")
    assert not write_times(interrupted.directory, "failures")


def test_a_resumed_study_writes_the_same_quality_tables_as_an_uninterrupted_one(interrupted, uninterrupted):
    assert quality_tables(interrupted.directory) == quality_tables(uninterrupted[0])
    assert write_times(interrupted.directory).keys() == write_times(uninterrupted[0]).keys()


@pytest.mark.parametrize(
    "where", ["bench.engine.study_runner.measure_cost", "bench.report.results_directory.write_report"]
)
def test_ctrl_c_after_training_ends_with_one_line_too(imbench, engine, monkeypatch, tmp_path, place, where):
    monkeypatch.setattr(where, interrupt)
    answer = imbench(
        "run", place.suite, "--out", tmp_path / "out", "--task", "digits-lt", "--strategy", "none", "--seeds", 1
    )
    assert (answer.code, answer.err) == (130, STOPPED)


@pytest.mark.parametrize("arguments", [("run",), ("run", "--dry-run"), ("report",)], ids=" ".join)
def test_ctrl_c_before_training_changes_nothing(imbench, monkeypatch, earlier, place, arguments):
    for where in ("bench.planning.plan.make_plan", "bench.report.results_directory.write_report"):
        monkeypatch.setattr(where, interrupt)
    command, *options = arguments
    before = all_files(earlier)
    assert imbench(command, *([place.suite, "--out"] if command == "run" else []), earlier, *options).code == 130
    assert all_files(earlier) == before


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
