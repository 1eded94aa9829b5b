"""The command measures, writes it down, and says what it cannot do in one line."""

import json
import sys
from io import StringIO

import pandas as pd
import pytest
import torch
from pydantic import TypeAdapter
from rich.console import Console

from bench import cli
from bench.machine.fresh_process import in_fresh_process
from bench.speed.training import measure as measuring
from bench.speed.training import run as running
from bench.speed.training import timing, two_processes
from bench.speed.training.measure import rows_of
from bench.speed.training.memory import peak_bytes
from bench.speed.training.result import Result, Row, TwoProcesses, well_written
from bench.speed.training.table import page, shown
from bench.speed.training.tasks import SMALL, MadeWindows
from bench.speed.training.timing import Runs, in_turn
from bench.speed.training.two_processes import two_against_one
from bench.speed.training.variants import Variant, variants
from bench.speed.training.write import write
from bench.text.numbers import NONE

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def row(variant, kind, ms, width=1, model="window-tagger", **more):
    return Row(model, variant, kind, width, ms, ms * 0.9, ms * 1.1, 8 / ms, 2 / ms, 64, **more)


MEASURED = Result(
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


def test_the_page_says_all():
    text = page(MEASURED)
    assert "`imbench train-bench --widths 1,5 --device cpu`" in text
    assert "- GPU: not measured" in text
    cells = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in text.splitlines() if line.startswith("| ")}
    assert [each.strip() for each in cells["stack of 5"]] == ["1.6", "1.44", "1.76", "5x", "1.25x", NONE]
    assert "- ratios to well-written are to: well-written, SparseAdam" in text
    assert "two processes, a stack of 5 each: 0.85 ms a step and training, 1.91x of one process" in text
    assert "two processes, a stack of 5 each: not measured: there is one core" in text


def test_the_terminal_needs_no_more_than_100_columns():
    out = StringIO()
    Console(file=out, width=100).print(shown(MEASURED))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.startswith("stack of") for line in lines) == 4
    assert not any("…" in line for line in lines)


def test_files_hold_the_same_figures(tmp_path):
    paths = write(MEASURED, tmp_path / "new")
    assert [path.name for path in paths] == [f"train-bench.{suffix}" for suffix in ("md", "csv", "json", "png", "svg")]
    assert all(path.stat().st_size for path in paths)
    assert list(pd.read_csv(paths[1])["step_ms"]) == [each.step_ms for each in MEASURED.rows]
    assert TypeAdapter(Result).validate_json(paths[2].read_text()) == MEASURED


# Timing


def test_all_take_turns_in_runs_of_whole_groups_that_are_long_enough(monkeypatch):
    now, log = [0.0], []
    monkeypatch.setattr(timing, "process_time", lambda: now[0])

    def step(name, seconds):
        def one():
            log.append(name)
            now[0] += seconds

        return one

    runs = in_turn({"slow": step("slow", 0.1), "fast": step("fast", 0.004)}, CPU, lambda _: None, rounds=2)
    assert [(each.steps, each.seconds) for each in runs.values()] == [
        (16, pytest.approx([0.1, 0.1])),
        (64, pytest.approx([0.004, 0.004])),
    ]
    warm, rounds = ["slow"] * 16 + ["fast"] * 16, ["slow"] * 16 + ["fast"] * 64
    assert log == warm + rounds + rounds


def test_ratios_are_medians_of_each_rounds_ratio_and_a_stacks_time_is_shared_by_its_trainings():
    compared = [
        Variant("naive", "naive", 1, None),
        Variant("well-written, a", "well-written", 1, None),
        Variant("well-written, b", "well-written", 1, None),
        Variant("stack of 2", "stack", 2, None),
    ]
    seconds = {
        "naive": [0.008, 0.016, 0.010],  # the second round met a busy machine
        "well-written, a": [0.005, 0.009, 0.006],
        "well-written, b": [0.002, 0.004, 0.002],
        "stack of 2": [0.002, 0.004, 0.004],
    }
    rows = {each.variant: each for each in rows_of("m", compared, {k: Runs(v, 16) for k, v in seconds.items()})}
    stack = rows["stack of 2"]
    assert (stack.step_ms, stack.fastest_ms, stack.slowest_ms) == pytest.approx((2.0, 1.0, 2.0))
    assert stack.naive_ratio == pytest.approx(8.0)
    assert stack.well_written_ratio == pytest.approx(2.0)
    assert rows["well-written, b"].well_written_ratio == rows["naive"].naive_ratio == 1
    assert well_written(list(rows.values()), "m").variant == "well-written, b"


@pytest.mark.parametrize("model", SMALL)
def test_every_variant_is_built_and_steps(model):
    found = variants(SMALL[model], [1, 3])
    assert {each.kind for each in found} == {"naive", "well-written", "stack", "mixed"}
    for each in found:
        step = each.build(SMALL[model], CPU)
        step()
        step()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the highest resident size")
def test_a_training_more_holds_a_table_of_words_and_its_moments_more():
    task = MadeWindows(items=20_000)
    one, five = (
        in_fresh_process(peak_bytes, each, task, SMALL["window-tagger"], CPU)
        for each in variants(task, [1, 5])
        if each.kind == "stack"
    )
    table = 20_000 * 50 * 4
    assert 4 * 3 * table * 0.9 < five - one < 4 * 3 * table * 1.8


def test_two_processes_are_faster_or_say_why_not(monkeypatch):
    monkeypatch.setattr(two_processes, "ROUNDS", 1)
    found = two_against_one("mlp", SMALL["mlp"], 2, CPU, lambda _: None)
    assert (found.ratio is None) == (found.step_ms is None) == (found.note == "there is one core")
    assert found.ratio is None or 0.1 < found.ratio < 10


def test_on_one_core_two_processes_are_not_measured(monkeypatch):
    monkeypatch.setattr(two_processes.os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert two_against_one("mlp", SMALL["mlp"], 2, CPU, pytest.fail).note == "there is one core"


# The command


def command(monkeypatch, capsys, *arguments):
    """Exit code, standard output and standard error of `imbench train-bench`."""
    monkeypatch.setattr(sys, "argv", ["imbench", "train-bench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


@pytest.fixture
def _quick(monkeypatch):
    """Small tasks, short runs; memory and two processes are not measured."""
    monkeypatch.setattr(running, "TASKS", SMALL)
    monkeypatch.setattr(timing, "SHORTEST", 0.0)
    monkeypatch.setattr(measuring, "in_fresh_process", lambda function, variant, *_: 1000 * variant.width)
    monkeypatch.setattr(running, "two_against_one", lambda model, *_: TwoProcesses(model, 5, note="there is one core"))


@pytest.mark.usefixtures("_quick")
def test_the_command_measures_every_variant_and_writes_it_down(tmp_path, monkeypatch, capsys):
    asked = ("--model", "mlp", "--model", "window-tagger", "--widths", "2,1", "--device", "cpu", "--out", tmp_path)
    code, out, err = command(monkeypatch, capsys, *asked)
    assert code == 0
    assert "window-tagger: round 7 of 7" in err
    held = TypeAdapter(Result).validate_json((tmp_path / "train-bench.json").read_text())
    for model in ("mlp", "window-tagger"):
        rows = [each for each in held.rows if each.model == model]
        assert [each.variant for each in rows] == [each.name for each in variants(SMALL[model], [1, 2])]
        assert rows[0].naive_ratio == 1
        assert max(each.well_written_ratio for each in rows if each.kind == "well-written") >= 1
        assert all(each.fastest_ms <= each.step_ms <= each.slowest_ms for each in rows)
        assert [each.peak_bytes for each in rows] == [1000 * each.width for each in rows]
        assert all(each.variant in out for each in rows)


@pytest.mark.usefixtures("_quick")
def test_json_is_what_the_file_holds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(running, "measure", lambda model, *_: [each for each in MEASURED.rows if each.model == model])
    code, out, err = command(monkeypatch, capsys, "--model", "mlp", "--device", "cpu", "--out", tmp_path, "--json")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "train-bench.json").read_text()
    assert json.loads(out)["schema_version"] == 1


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(("load", "said"), [(0.2, False), (3.1, True)])
def test_a_busy_machine_is_told(load, said, monkeypatch):
    monkeypatch.setattr(running.os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(running, "measure", lambda *_: [])
    notes = running.run(["mlp"], [1], CPU, "", lambda _: None).notes
    assert any("busy before (load 3.1)" in note for note in notes) == said
    assert "GPU: not measured" in notes


@pytest.mark.parametrize("widths", ["", "many", "1,", "0", "-1", "1.5", "1001"])
def test_widths_that_are_none_are_one_line_and_exit_code_2(widths, monkeypatch, capsys):
    code, out, err = command(monkeypatch, capsys, "--widths", widths)
    assert (code, out) == (2, "")
    assert err == f"imbench: --widths {widths}: give numbers of runs from 1 to 1000, such as 1,5,20\n"


def test_a_model_that_is_none_is_one_line_and_exit_code_2(monkeypatch, capsys):
    code, out, err = command(monkeypatch, capsys, "--model", "transformer")
    assert (code, out) == (2, "")
    assert err == "imbench: --model transformer: no model of this name; known: window-tagger, bilstm-tagger, mlp\n"


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_measured(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(running, "measure", lambda *_: pytest.fail("measured what would be lost"))
    code, _, err = command(monkeypatch, capsys, "--out", tmp_path / "file")
    assert code == 2
    assert "is a file; give another directory with --out" in err
