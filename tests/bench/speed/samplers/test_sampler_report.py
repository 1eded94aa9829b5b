"""The command's tables, files and errors."""

import json
import sys
from io import StringIO

import pandas as pd
import pytest
import torch
from rich.console import Console

from bench import cli
from bench.speed.samplers import measure as measuring
from bench.speed.samplers import run as running
from bench.speed.samplers import timing
from bench.speed.samplers.peers import MULTINOMIAL, PEERS, WEIGHTED_RANDOM
from bench.speed.samplers.result import Result, Row, SentenceWeightsCost
from bench.speed.samplers.table import page, shown
from bench.speed.samplers.variants import FLOOR, SAMPLERS
from bench.speed.samplers.write import write
from bench.text.numbers import MISSING


def row(items, variant, kind="sampler", **figures):
    return Row(items, variant, kind, **figures)


MEASURED = Result(
    command="imbench samplers --sizes 1e6,1e8",
    machine={"device": "a processor", "torch": "2.13.0", "numba": "0.68"},
    method="one thread",
    rows=[
        row(10**6, FLOOR, "floor", draw_ns=3.0, draw_ratio=60.0, over_floor=1.0, setup_seconds=0.001),
        row(
            10**6,
            "ClassBalancedSampler(progressive)",
            draw_ns=4.0,
            draw_ratio=45.0,
            over_floor=1.333,
            peak_bytes=6_000_000,
        ),
        row(10**6, MULTINOMIAL, "peer", draw_ns=180.0, draw_ratio=1.0, over_floor=60.0),
        row(
            10**8,
            "ClassBalancedSampler(progressive)",
            draw_ns=28.0,
            resume_seconds=0.002,
            batch_ns=99.0,
            batch_ratio=33.3,
        ),
        row(10**8, MULTINOMIAL, "peer", note="torch.multinomial stops at 2^24 = 16,777,216 items"),
    ],
    sentence_weights=SentenceWeightsCost(20_000_000, 2.0, 1_000_000, 20.0),
)


def test_the_page_says_all(tmp_path):
    text = page(MEASURED)
    assert "`imbench samplers --sizes 1e6,1e8`" in text
    assert "torch 2.13.0, numba 0.68" in text
    assert "## 1,000,000 items" in text
    assert "## 100,000,000 items" in text
    line = next(each for each in text.splitlines() if each.startswith("| ClassBalancedSampler(progressive)"))
    assert [cell.strip() for cell in line.split("|")[2:-1]] == [MISSING, "4", "250", "45x", "1.33x", "6"]
    assert "not measured: torch.multinomial: torch.multinomial stops at 2^24 = 16,777,216 items" in text
    assert "2 ns a token; the best Python loop 20 ns (on 1,000,000 tokens): 10x" in text


def test_the_terminal_needs_no_more_than_100_columns():
    everything = [
        row(10**8, name, **dict.fromkeys(("draw_ns", "batch_ns", "loader_ns"), 1234567.0), setup_seconds=1234.5)
        for name in SAMPLERS
    ]
    out = StringIO()
    Console(file=out, width=100).print(shown(Result("", {}, "", everything, None)))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert [line.split("  ")[0] for line in lines[1 : len(SAMPLERS) + 1]] == list(SAMPLERS)


def test_files_hold_the_same_figures(tmp_path):
    paths = write(MEASURED, tmp_path / "new")
    assert [path.suffix for path in paths] == [".md", ".csv", ".json", ".png", ".svg"]
    assert all(path.stat().st_size for path in paths)
    lines = pd.read_csv(paths[1])
    assert list(lines["draw_ns"].dropna()) == [3.0, 4.0, 180.0, 28.0]
    held = json.loads(paths[2].read_text())
    assert held["schema_version"] == 1
    assert held["rows"][1]["over_floor"] == 1.333
    assert held["sentence_weights"]["loop_ns"] == 20.0


# Measured, quickly


@pytest.fixture
def quick(monkeypatch):
    """Few rounds of a single pass, memory not measured."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(timing, "SHORTEST", 0.0)
    monkeypatch.setattr(measuring, "BUILDS", 1)
    monkeypatch.setattr(measuring, "in_fresh_process", lambda function, name, items: 4 * items)
    yield
    torch.set_num_threads(threads)


def command(monkeypatch, capsys, *arguments):
    """Exit code, standard output and standard error of `imbench samplers`."""
    monkeypatch.setattr(sys, "argv", ["imbench", "samplers", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_the_command_measures_every_variant_and_writes_it_down(quick, tmp_path, monkeypatch, capsys):
    code, out, err = command(monkeypatch, capsys, "--sizes", "2e3", "--out", tmp_path)
    assert code == 0
    assert "2,000 items: round 5 of 5" in err
    held = json.loads((tmp_path / "samplers.json").read_text())
    rows = {each["variant"]: each for each in held["rows"]}
    assert set(SAMPLERS) <= set(rows)
    assert rows[MULTINOMIAL]["draw_ratio"] == 1
    assert rows[WEIGHTED_RANDOM]["loader_ratio"] == 1
    assert rows["ClassBalancedSampler"]["peak_bytes"] == 8000
    for name, each in rows.items():
        assert (each["draw_ns"] is None) == bool(each["note"])
        assert (each["resume_seconds"] is not None) == (name in SAMPLERS)
        assert name in out
    if not rows[FLOOR]["note"]:
        assert rows[FLOOR]["over_floor"] == 1
        assert rows["WeightedSampler"]["over_floor"] > 0
    assert held["sentence_weights"]["tokens"] == 40_000


def test_where_memory_bounds_them_each_variant_takes_turns_with_the_floor_alone(quick, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measuring, "TOGETHER", 1000)
    code, _, err = command(monkeypatch, capsys, "--sizes", "2e3", "--out", tmp_path)
    assert code == 0
    assert "2,000 items, SentenceSampler: round 5 of 5" in err
    rows = {each["variant"]: each for each in json.loads((tmp_path / "samplers.json").read_text())["rows"]}
    assert set(SAMPLERS) | set(PEERS) <= set(rows)
    assert rows["WeightedSampler"]["draw_ns"] > 0
    assert rows["WeightedSampler"]["draw_ratio"] is None
    if not rows[FLOOR]["note"]:
        assert rows[FLOOR]["over_floor"] == 1
        assert rows["WeightedSampler"]["over_floor"] > 0


def test_json_is_what_the_file_holds(quick, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(running, "measure", lambda count, device, say: MEASURED.rows)
    code, out, err = command(monkeypatch, capsys, "--sizes", "100", "--out", tmp_path, "--json")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "samplers.json").read_text()


@pytest.mark.parametrize("sizes", ["", "many", "1e6,", "10", "1e12", "nan", "inf"])
def test_sizes_that_are_none_are_one_line_and_exit_code_2(sizes, monkeypatch, capsys):
    code, out, err = command(monkeypatch, capsys, "--sizes", sizes)
    assert (code, out) == (2, "")
    assert err == f"imbench: --sizes {sizes}: give numbers of items from 100 to 2e9, such as 1e6,1e7\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_cuda_is_one_line_and_exit_code_2(monkeypatch, capsys):
    code, _, err = command(monkeypatch, capsys, "--device", "cuda")
    assert code == 2
    assert err.startswith("imbench: --device cuda: this torch sees no CUDA device")


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_measured(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("bench.speed.samplers.run.measure", lambda *_: pytest.fail("measured what would be lost"))
    code, _, err = command(monkeypatch, capsys, "--sizes", "100", "--out", tmp_path / "file")
    assert code == 2
    assert "is a file; give another directory with --out" in err
