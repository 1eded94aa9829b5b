"""A study run without a console: the events that an observer sees, and the result."""

from __future__ import annotations

import dataclasses
import math
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from command_line import InProcessEngine

from bench.engine.events import Finished, MeasuringCost, Preparing, StudyBegan, TrainingBegan, TrainingEnded
from bench.engine.study_runner import StudyRunner
from bench.planning.plan import make_plan
from bench.planning.protocol import ROWS
from bench.planning.suite import Block, Suite
from bench.records.store import Store
from bench.tasks import find_task
from strategies import parse

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


def make_runner(directory: Path, engine: InProcessEngine) -> StudyRunner:
    protocol = dataclasses.replace(ROWS, steps=20, validate_every=20)
    block = Block(find_task("digits-lt"), (parse("none"), parse("focal"), parse("sentence-weights")), protocol)
    plan = make_plan(Suite("small", "For a test", 2, (block,)), CPU)
    return StudyRunner(plan, Store(directory), CPU, partial(engine, workers=1, device="cpu"), workers=1)


def test_an_observer_sees_the_study_from_its_beginning_to_its_last_cost(tmp_path: Path) -> None:
    events: list[object] = []
    engine = InProcessEngine(fails=lambda run: (str(run.strategy), run.seed) == ("focal", 1))
    result = make_runner(tmp_path, engine).run(events.append)
    kinds = [type(event) for event in events]
    assert kinds[:3] == [StudyBegan, Preparing, TrainingBegan]
    assert set(kinds[3:-3]) == {Finished}
    assert kinds[-3:] == [TrainingEnded, MeasuringCost, MeasuringCost]
    began, last = events[2], events[-1]
    assert isinstance(began, TrainingBegan)
    assert (len(began.missing), began.done, began.failed) == (4, 0, 0)
    assert isinstance(last, MeasuringCost)
    assert (str(last.run.strategy), last.number, last.total) == ("focal", 2, 2)
    assert [(failure.strategy, failure.seed, failure.reason) for failure in result.failures] == [
        ("focal", 1, "out of luck")
    ]


def test_a_resumed_study_counts_done_and_failed_runs_and_needs_no_observer(tmp_path: Path) -> None:
    engine = InProcessEngine(fails=lambda run: run.seed == 1)
    make_runner(tmp_path, engine).run()
    events: list[object] = []
    make_runner(tmp_path, engine).run(events.append)
    assert isinstance(events[1], TrainingBegan)
    assert (events[1].missing, events[1].done, events[1].failed) == ([], 2, 2)
    runner = make_runner(tmp_path, engine)
    assert {(str(run.strategy), run.seed) for run in runner.missing_runs(retry_failed=True)} == {
        ("none", 1),
        ("focal", 1),
    }


def test_a_preview_counts_runs_and_trains_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.engine.study_runner.estimate_time", lambda *_: None)
    engine = InProcessEngine()
    preview = make_runner(tmp_path / "out", engine).preview()
    assert [(counts.strategy, counts.to_train, counts.done) for counts in preview.counts] == [
        ("none", 2, 0),
        ("focal", 2, 0),
        ("sentence-weights", 0, 0),
    ]
    assert preview.runs == sum(map(len, preview.packing.stacks)) == 4
    assert engine.trained == []
    assert not (tmp_path / "out").exists()


def test_seeds_for_which_no_time_is_left_are_left_out_of_plan_and_study_and_added_by_a_later_run(
    tmp_path: Path,
) -> None:
    runner = make_runner(tmp_path, InProcessEngine())
    runner.first_seeds, runner.deadline = 1, time.monotonic()
    events: list[object] = []
    result = runner.run(events.append)
    assert result.left_out.startswith("planned 2 seeds, trained 1: the first 1 took longer than the pilot predicted")
    study = runner.store.find_study()
    assert study is not None
    assert result.left_out in study.notes
    assert [sorted(row.runs) for row in study.strategies if row.skipped is None] == [[0], [0]]
    assert {run.seed for run in runner.plan.runs} == {0}
    assert not any("adds to" in note for event in events if isinstance(event, StudyBegan) for note in event.notes)

    later = make_runner(tmp_path, InProcessEngine())
    assert {run.seed for run in later.missing_runs()} == {1}
    later.first_seeds, later.deadline = 1, math.inf
    assert not later.run().left_out
    assert later.missing_runs() == []
    resumed = later.store.find_study()
    assert resumed is not None
    assert result.left_out not in resumed.notes


def test_other_seeds_are_trained_where_there_is_time_for_them(tmp_path: Path) -> None:
    runner = make_runner(tmp_path, InProcessEngine())
    runner.first_seeds, runner.deadline = 1, time.monotonic() + 3600
    assert not runner.run().left_out
    assert runner.missing_runs() == []
