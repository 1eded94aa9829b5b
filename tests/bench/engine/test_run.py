"""A study from beginning to end: its records, costs, predictions and printed paths; and a second run, which trains nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import ROWS_OF_SUITE, RUNS, Place, quality_tables, wait_for_answer, write_times

from bench.records.record import Failure
from bench.records.store import Store


def test_a_study_ends_with_the_verdict_on_every_task_and_the_path_of_the_page(uninterrupted):
    directory, answer = uninterrupted
    assert (answer.code, answer.err) == (0, "")
    *_, first, second, last = answer.out.splitlines()
    assert first.startswith("digits-lt: ")
    assert second.startswith("synthetic-conll(scale=0.01): ")
    assert last == f"report: {directory / 'report.html'}"
    assert (directory / "report.html").stat().st_size
    assert "worker" not in answer.out


def test_the_first_verdict_is_printed_while_other_tasks_are_trained(uninterrupted):
    lines = uninterrupted[1].out.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("digits-lt: "))
    assert f"{RUNS} of {RUNS} runs done" in "".join(lines[first + 1 :])
    assert lines[first] == lines[-3]


def test_a_verbose_study_says_where_the_time_went_and_lists_every_file(imbench, place, earlier):
    answer = imbench("run", place.suite, "--out", earlier, "--verbose")
    assert re.search(r"^time: .*planning \d+ s, .*writing the report \d+ s$", answer.out, re.MULTILINE)
    listed = [Path(line) for line in re.findall("^  (.*)$", answer.out.partition("wrote:\n")[2], re.MULTILINE)]
    assert {earlier / "tables" / name for name in quality_tables(earlier)} <= set(listed)
    assert all(path.is_file() and path.stat().st_size for path in listed)


def test_a_study_leaves_a_record_of_every_run_and_one_cost_of_every_strategy(uninterrupted):
    store = Store(uninterrupted[0])
    strategies = store.study().strategies
    assert [(planned.task, planned.strategy) for planned in strategies] == ROWS_OF_SUITE
    assert sum(len(planned.runs) for planned in strategies) == RUNS == len(write_times(store.directory))
    for planned in strategies:
        if planned.skipped:
            continue
        for seed, id in planned.runs.items():
            record = store.record(id)
            assert (record.task, record.strategy, record.seed) == (planned.task, planned.strategy, seed)
            assert 0.0 < record.evaluation("chosen", "test").nll < 5.0
        cost = store.cost(planned.runs[0])
        assert 0 < cost.lowest_step_ratio <= cost.step_ratio <= cost.highest_step_ratio
        assert [store.cost(id) for seed, id in planned.runs.items() if seed] == [None, None]


def test_every_run_leaves_its_test_predictions(uninterrupted):
    store = Store(uninterrupted[0])
    for id in (id for planned in store.study().strategies for id in planned.runs.values()):
        confusion = store.record(id).evaluation("chosen", "test").confusion
        assert store.load_predictions(id).counts().sum(axis=0).tolist() == [count for row in confusion for count in row]


@pytest.mark.parametrize(
    "arguments", [("status", "nothing"), ("run", "small.toml", "--sedes", "2"), ("train",)], ids=" ".join
)
def test_an_error_of_the_user_is_one_line_and_exit_code_2(place: Place, arguments):
    answer = wait_for_answer(place.start(*arguments))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("imbench: ")
    assert answer.err.count("\n") == 1


def test_the_same_command_again_trains_and_measures_nothing_and_writes_the_same_quality_tables(imbench, place, earlier):
    before, tables = (
        {folder: write_times(earlier, folder) for folder in ("runs", "costs")},
        quality_tables(earlier),
    )
    answer = imbench("run", place.suite, "--out", earlier, "--workers", 2)
    assert (answer.code, answer.err) == (0, "")
    assert f"{RUNS} of {RUNS} runs done ({RUNS} before), 0 running, 0 failed" in answer.out
    assert {folder: write_times(earlier, folder) for folder in before} == before
    assert quality_tables(earlier) == tables


def test_a_directory_of_an_earlier_version_is_resumed_and_extended(imbench, place, earlier):
    """Its records are in `trainings/`: they are not trained again, and new ones are written to `runs/`."""
    (earlier / "runs").rename(earlier / "trainings")
    before, tables = write_times(earlier, "trainings"), quality_tables(earlier)
    answer = imbench("run", place.suite, "--out", earlier)
    assert (answer.code, answer.err) == (0, "")
    assert f"({RUNS} before), 0 running, 0 failed" in answer.out
    assert (write_times(earlier, "trainings"), quality_tables(earlier)) == (before, tables)
    assert not (earlier / "runs").exists()
    (earlier / "trainings" / sorted(before)[0]).write_text("{")
    assert imbench("run", place.suite, "--out", earlier).code == 0
    assert [path.name for path in (earlier / "runs").iterdir()] == [sorted(before)[0]]
    assert quality_tables(earlier) == tables


def test_a_failure_that_a_kill_left_next_to_a_record_does_not_count(imbench, place, earlier):
    store = Store(earlier)
    planned = store.study().strategies[0]
    store.add(Failure(planned.runs[0], planned.task, planned.strategy, 0, "out of luck"))
    answer = imbench("run", place.suite, "--out", earlier)
    assert (answer.code, "out of luck" in answer.out) == (0, False)
