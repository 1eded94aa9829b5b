"""The GPU check: a rehearsal of all its steps on the CPU, and what it says of steps that fail and numbers that differ."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sklearn.metrics import f1_score

from bench.gpu_check.check_steps import FULL, CheckStep, list_steps
from bench.gpu_check.step_runner import run_steps
from bench.gpu_check.study_agreement import MEAN_TOLERANCE, RUN_TOLERANCE, TaskAgreement, compare_devices
from bench.records.record import Evaluation, PlannedStrategy, Record, SamplingStats, Study, TaskFacts
from bench.records.store import Store

ROOT = Path(__file__).parents[3]


def gpu_check(*arguments):
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    command = ["bash", "run_all.sh", "gpu-check", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    out = tmp_path_factory.mktemp("gpu-check")
    return gpu_check("--dry-run", "--out", out), out


def test_the_rehearsal_passes_and_leaves_one_folder(rehearsal):
    run, out = rehearsal
    assert run.returncode == 0, run.stdout + run.stderr
    page = (out / "gpu-check.md").read_text()
    for heading in ("# GPU check", "## The same runs on CPU and GPU", "## Training", "## Sampling"):
        assert heading in page
    assert "15.1 times" in page
    assert "24 times" in page
    assert page.count("|       ok |") == 5
    study = (out / "study.csv").read_text().splitlines()
    assert len(study) == 3
    assert {line.split(",")[-1] for line in study[1:]} == {"True"}
    assert (out / "train-bench-mlp" / "train-bench.json").is_file()
    assert (out / "samplers-1e3" / "samplers.json").is_file()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_so_and_names_the_rehearsal(tmp_path):
    run = gpu_check("--out", tmp_path / "out")
    assert run.returncode == 2
    assert "sees no CUDA device" in run.stderr
    assert "--dry-run" in run.stderr
    assert not (tmp_path / "out").exists()


def test_the_full_check_fits_into_eight_minutes_with_the_most_important_steps_first(tmp_path):
    names = [step.name for step in list_steps(FULL, tmp_path, tmp_path)]
    assert names[:3] == ["tests", "study on the CPU", "study on the GPU"]
    assert names[-1] == "sampling, 1e8 items"
    (tests, *_) = list_steps(FULL, tmp_path, tmp_path)
    assert {"test_graphed_step.py", "test_streams.py"} <= {Path(argument).name for argument in tests.command}


def python(code):
    return [sys.executable, "-c", code]


def test_a_step_that_fails_or_hangs_does_not_stop_the_others(tmp_path):
    child = tmp_path / "child.pid"
    hanging = (
        "import subprocess, sys, pathlib, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(child)!r}).write_text(str(child.pid)); print('waiting', flush=True); time.sleep(60)"
    )
    steps = [
        CheckStep("raises", python("raise ValueError('no kernel')"), 60),
        CheckStep("hangs", python(hanging), 2),
        CheckStep("works", python("print('fine')"), 60),
    ]
    raised, hung, worked = run_steps(steps, tmp_path / "logs")
    assert (raised.status, raised.last_line) == ("failed", "ValueError: no kernel")
    assert (hung.status, hung.last_line) == ("cut off", "waiting")
    assert (worked.status, worked.last_line) == ("ok", "fine")
    state = Path(f"/proc/{child.read_text()}/stat")
    assert not state.exists() or state.read_text().rsplit(")")[-1].split()[0] == "Z"  # its children end with it
    (late,) = run_steps(steps[:1], tmp_path / "logs", limit_seconds=1)
    assert late.status == "not run"


def record(name, confusion=((8, 2), (1, 3)), by_class=(70, 30)):
    evaluations = [
        Evaluation(checkpoint, split, [list(row) for row in confusion], nll=0.5)
        for checkpoint, split in (("chosen", "valid"), ("chosen", "test"), ("last", "test"))
    ]
    sampling = SamplingStats(items=100, labels=100, by_class=list(by_class), coverage=1.0)
    return Record(name, "rows", name, 0, {}, ["a", "b"], evaluations, [(10, 0.5)], 10, True, sampling, [], {})


def directory(path, *records):
    """A results directory of a study of two runs, with these records."""
    store = Store(path)
    facts = TaskFacts("rows", "", "natural", ["a", "b"], [70, 30], 100, None, [], resplit=None)
    strategies = [PlannedStrategy("rows", name, {0: name}) for name in ("none", "focal")]
    store.begin(Study("gpu-check", [facts], strategies, {"device": "cpu", "torch": "2"}, []))
    for each in records:
        store.add(each)
    return store


def test_runs_that_are_the_same_on_both_devices_pass(tmp_path):
    cpu, gpu = (directory(tmp_path / name, record("none"), record("focal")) for name in ("cpu", "gpu"))
    frame, (agreement,) = compare_devices(cpu, gpu)
    assert agreement.ok
    assert (agreement.planned, agreement.compared, agreement.same_items) == (2, 2, 2)
    assert frame["macro_f1_cpu"].tolist() == pytest.approx(
        [f1_score([0] * 10 + [1] * 4, [0] * 8 + [1] * 2 + [0] + [1] * 3, average="macro")] * 2
    )


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([record("none"), record("focal", confusion=((2, 8), (3, 1)))], id="another result"),
        pytest.param([record("none"), record("focal", by_class=(71, 29))], id="other items"),
        pytest.param([record("none")], id="a missing run"),
        pytest.param([], id="no run at all"),
    ],
)
def test_runs_that_differ_between_devices_or_are_missing_fail(tmp_path, other):
    cpu = directory(tmp_path / "cpu", record("none"), record("focal"))
    _, (agreement,) = compare_devices(cpu, directory(tmp_path / "gpu", *other))
    assert not agreement.ok
    assert agreement.compared == len(other)


@pytest.mark.parametrize(
    ("largest", "mean", "ok"),
    [
        (RUN_TOLERANCE, 0, True),
        (RUN_TOLERANCE + 1e-9, 0, False),
        (0.0, -MEAN_TOLERANCE - 1e-9, False),
        (float("nan"), 0, False),
    ],
)
def test_tolerances(largest, mean, ok):
    assert TaskAgreement("task", 1, 1, 1, largest, mean).ok is ok
