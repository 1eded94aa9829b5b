"""The tables, files, timing and errors of `imbench train-bench`."""

import json
import os
import sys
from io import StringIO

import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter
from rich.console import Console

from bench.machine.fresh_process import in_fresh_process
from bench.speed.training import measure as measuring
from bench.speed.training import step_timing, two_processes
from bench.speed.training.measure import make_rows, time_in_turn
from bench.speed.training.step_memory import training_peak_bytes
from bench.speed.training.synthetic_tasks import SMALL_TASKS, SyntheticWindows
from bench.speed.training.table import render_page, render_terminal
from bench.speed.training.training_measurement import (
    TrainingMeasurement,
    TrainingTiming,
    TwoProcesses,
    fastest_well_written,
)
from bench.speed.training.two_processes import compare_two_processes
from bench.speed.training.variants import TrainingVariant, list_variants
from bench.speed.training.write import write_files
from bench.text.numbers import MISSING

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


def row(variant, kind, ms, width=1, model="window-tagger", **figures):
    return TrainingTiming(model, variant, kind, width, ms, ms * 0.9, ms * 1.1, 8 / ms, 2 / ms, 64, **figures)


MEASURED = TrainingMeasurement(
    command="imbench train-bench --widths 1,5 --device cpu",
    machine={"device": "a processor", "torch": "2.13.0"},
    method="one thread",
    rows=[
        row("naive", "naive", 8.0, peak_bytes=50_000_000),
        row("well-written, SparseAdam", "well-written", 2.0),
        row("well-written, dense Adam", "well-written", 2.5),
        row("stack of 1", "stack", 3.0),
        row("stack of 5", "stack", 1.6, 5),
        row("stack of 5 strategies", "mixed", 1.7, 5),
        row("naive", "naive", 3.0, model="mlp"),
        row("well-written", "well-written", 1.0, model="mlp"),
        row("stack of 1", "stack", 1.5, model="mlp"),
    ],
    two_processes=[
        TwoProcesses("window-tagger", 5, ratio=1.91, step_ms=0.85),
        TwoProcesses("mlp", 5, note="there is one core"),
    ],
    notes=["GPU: not measured"],
)


def test_the_page_has_command_figures_and_notes():
    page = render_page(MEASURED)
    assert "`imbench train-bench --widths 1,5 --device cpu`" in page
    assert "- GPU: not measured" in page
    cells = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in page.splitlines() if line.startswith("| ")}
    assert [cell.strip() for cell in cells["stack of 5"]] == ["1.6", "1.44", "1.76", "5x", "1.25x", MISSING]
    assert "- ratios to well-written are to: well-written, SparseAdam" in page
    assert "two processes, a stack of 5 each: 0.85 ms per step and run, 1.91x" in page
    assert "two processes, a stack of 5 each: not measured: there is one core" in page


def test_the_terminal_needs_no_more_than_100_columns():
    out = StringIO()
    Console(file=out, width=100).print(render_terminal(MEASURED))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.startswith("stack of") for line in lines) == 4
    assert not any("…" in line for line in lines)


def test_files_hold_the_same_figures(tmp_path):
    paths = write_files(MEASURED, tmp_path / "new")
    assert [path.name for path in paths] == [f"train-bench.{suffix}" for suffix in ("md", "csv", "json", "png", "svg")]
    assert all(path.stat().st_size for path in paths)
    assert list(pd.read_csv(paths[1])["step_ms"]) == [timing.step_ms for timing in MEASURED.rows]
    assert TypeAdapter(TrainingMeasurement).validate_json(paths[2].read_text()) == MEASURED


# Timing


def test_variants_take_turns_in_whole_groups_of_steps_that_are_long_enough(monkeypatch):
    now, log = [0.0], []
    monkeypatch.setattr(step_timing, "process_time", lambda: now[0])

    def step(name, seconds):
        def take():
            log.append(name)
            now[0] += seconds

        return take

    steps = {"slow": step("slow", 0.1), "fast": step("fast", 0.004)}
    step_counts, seconds_per_step = time_in_turn(steps, CPU, lambda _: None, rounds=2)
    assert step_counts == {"slow": 16, "fast": 64}
    assert seconds_per_step == {"slow": pytest.approx([0.1, 0.1]), "fast": pytest.approx([0.004, 0.004])}
    warm_up, one_round = ["slow"] * 16 + ["fast"] * 16, ["slow"] * 16 + ["fast"] * 64
    assert log == warm_up + one_round + one_round


def test_ratios_are_medians_of_each_rounds_ratio_and_a_stacks_time_is_divided_by_its_runs():
    variants = [
        TrainingVariant("naive", "naive", 1, None),
        TrainingVariant("well-written, a", "well-written", 1, None),
        TrainingVariant("well-written, b", "well-written", 1, None),
        TrainingVariant("stack of 2", "stack", 2, None),
    ]
    seconds = {
        "naive": [0.008, 0.016, 0.010],  # the second round met a busy machine
        "well-written, a": [0.005, 0.009, 0.006],
        "well-written, b": [0.002, 0.004, 0.002],
        "stack of 2": [0.002, 0.004, 0.004],
    }
    rows = {row.variant: row for row in make_rows("m", variants, dict.fromkeys(seconds, 16), seconds)}
    stack = rows["stack of 2"]
    assert (stack.step_ms, stack.fastest_ms, stack.slowest_ms) == pytest.approx((2.0, 1.0, 2.0))
    assert stack.naive_ratio == pytest.approx(8.0)
    assert stack.well_written_ratio == pytest.approx(2.0)
    assert rows["well-written, b"].well_written_ratio == rows["naive"].naive_ratio == 1
    assert fastest_well_written(list(rows.values()), "m").variant == "well-written, b"


@pytest.mark.parametrize("model", SMALL_TASKS)
def test_every_variant_is_built_and_steps(model):
    variants = list_variants(SMALL_TASKS[model], [1, 3])
    assert {variant.kind for variant in variants} == {"naive", "well-written", "stack", "mixed"}
    for variant in variants:
        step = variant.build(SMALL_TASKS[model], CPU)
        step()
        step()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the highest resident size")
def test_each_further_run_holds_another_table_of_words_and_its_moments():
    task = SyntheticWindows(items=20_000)
    one, five = (
        in_fresh_process(training_peak_bytes, variant, task, SMALL_TASKS["window-tagger"], CPU)
        for variant in list_variants(task, [1, 5])
        if variant.kind == "stack"
    )
    table = 20_000 * 50 * 4
    assert 4 * 3 * table * 0.9 < five - one < 4 * 3 * table * 1.8


def test_two_processes_are_measured_or_the_note_says_why_not(monkeypatch):
    monkeypatch.setattr(two_processes, "ROUNDS", 1)
    pair = compare_two_processes("mlp", SMALL_TASKS["mlp"], 2, CPU, lambda _: None)
    assert (pair.ratio is None) == (pair.step_ms is None) == (pair.note == "there is one core")
    assert pair.ratio is None or 0.1 < pair.ratio < 10


def test_on_one_core_two_processes_are_not_measured(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert compare_two_processes("mlp", SMALL_TASKS["mlp"], 2, CPU, pytest.fail).note == "there is one core"


# The command


@pytest.fixture
def _quick(monkeypatch):
    """Train on small tasks in short runs; do not measure memory and two processes."""
    monkeypatch.setattr(measuring, "TASKS", SMALL_TASKS)
    monkeypatch.setattr(step_timing, "SHORTEST", 0.0)
    monkeypatch.setattr(measuring, "in_fresh_process", lambda function, variant, *_: 1000 * variant.width)
    monkeypatch.setattr(
        measuring, "compare_two_processes", lambda model, *_: TwoProcesses(model, 5, note="there is one core")
    )


@pytest.mark.usefixtures("_quick")
def test_the_command_measures_every_variant_and_writes_it_down(tmp_path, imbench):
    options = ("--model", "mlp", "--model", "window-tagger", "--widths", "2,1", "--device", "cpu", "--out", tmp_path)
    code, out, err = imbench("train-bench", *options)
    assert code == 0
    assert "window-tagger: round 7 of 7" in err
    measurement = TypeAdapter(TrainingMeasurement).validate_json((tmp_path / "train-bench.json").read_text())
    for model in ("mlp", "window-tagger"):
        rows = [row for row in measurement.rows if row.model == model]
        assert [row.variant for row in rows] == [variant.name for variant in list_variants(SMALL_TASKS[model], [1, 2])]
        assert rows[0].naive_ratio == 1
        assert max(row.well_written_ratio for row in rows if row.kind == "well-written") >= 1
        assert all(row.fastest_ms <= row.step_ms <= row.slowest_ms for row in rows)
        assert [row.peak_bytes for row in rows] == [1000 * row.width for row in rows]
        assert all(row.variant in out for row in rows)


@pytest.mark.usefixtures("_quick")
def test_json_output_is_the_content_of_the_file(tmp_path, monkeypatch, imbench):
    monkeypatch.setattr(
        measuring, "measure_model", lambda model, *_: [row for row in MEASURED.rows if row.model == model]
    )
    code, out, err = imbench("train-bench", "--model", "mlp", "--device", "cpu", "--out", tmp_path, "--json")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "train-bench.json").read_text()
    assert json.loads(out)["schema_version"] == 1


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(("load", "noted"), [(0.2, False), (3.1, True)])
def test_a_busy_machine_is_noted(load, noted, monkeypatch):
    monkeypatch.setattr(measuring.os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(measuring, "measure_model", lambda *_: [])
    notes = measuring.measure_training(["mlp"], [1], CPU, "", lambda _: None).notes
    assert any("busy before (load 3.1)" in note for note in notes) == noted
    assert "GPU: not measured" in notes


@pytest.mark.parametrize("widths", ["", "many", "1,", "0", "-1", "1.5", "1001"])
def test_invalid_widths_are_one_line_and_exit_code_2(widths, imbench):
    code, out, err = imbench("train-bench", "--widths", widths)
    assert (code, out) == (2, "")
    assert err == f"imbench: --widths {widths}: give numbers of runs from 1 to 1000, such as 1,5,20\n"


def test_an_unknown_model_is_one_line_and_exit_code_2(imbench):
    code, out, err = imbench("train-bench", "--model", "transformer")
    assert (code, out) == (2, "")
    assert err.startswith("imbench: --model transformer: ")
    assert err.endswith("; known: window-tagger, bilstm-tagger, mlp\n")
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_written_to_is_reported_before_anything_is_measured(monkeypatch, imbench, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(measuring, "measure_model", lambda *_: pytest.fail("measured what would be lost"))
    code, _, err = imbench("train-bench", "--out", tmp_path / "file")
    assert code == 2
    assert "is a file; give another directory with --out" in err
