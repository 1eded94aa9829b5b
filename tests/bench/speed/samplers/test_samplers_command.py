"""The tables, files and errors of `imbench samplers`."""

import json
from io import StringIO

import pandas as pd
import pytest
import torch
from rich.console import Console

from bench.speed.samplers import epoch_timing, size_timing
from bench.speed.samplers import measure as measuring
from bench.speed.samplers.peers import MULTINOMIAL, PEERS, WEIGHTED_RANDOM
from bench.speed.samplers.sampler_measurement import SamplerMeasurement, SamplerTiming, SentenceWeightsCost
from bench.speed.samplers.table import render_page, render_terminal
from bench.speed.samplers.variants import LOWER_BOUND, SAMPLERS
from bench.speed.samplers.write import write_files
from bench.text.numbers import MISSING


def timing(items, variant, kind="sampler", **figures):
    return SamplerTiming(items, variant, kind, **figures)


MEASURED = SamplerMeasurement(
    command="imbench samplers --sizes 1e6,1e8",
    machine={"device": "a processor", "torch": "2.13.0", "numba": "0.68"},
    method="one thread",
    rows=[
        timing(10**6, LOWER_BOUND, "floor", draw_ns=3.0, draw_ratio=60.0, over_floor=1.0, setup_seconds=0.001),
        timing(
            10**6,
            "ClassBalancedSampler(progressive)",
            draw_ns=4.0,
            draw_ratio=45.0,
            over_floor=1.333,
            peak_bytes=6_000_000,
        ),
        timing(10**6, MULTINOMIAL, "peer", draw_ns=180.0, draw_ratio=1.0, over_floor=60.0),
        timing(
            10**8,
            "ClassBalancedSampler(progressive)",
            draw_ns=28.0,
            resume_seconds=0.002,
            batch_ns=99.0,
            batch_ratio=33.3,
        ),
        timing(10**8, MULTINOMIAL, "peer", note="torch.multinomial stops at 2^24 = 16,777,216 items"),
    ],
    sentence_weights=SentenceWeightsCost(20_000_000, 2.0, 1_000_000, 20.0),
)


def test_the_page_has_command_versions_figures_and_unmeasured_variants():
    page = render_page(MEASURED)
    assert "`imbench samplers --sizes 1e6,1e8`" in page
    assert "torch 2.13.0, numba 0.68" in page
    assert "## 1,000,000 items" in page
    assert "## 100,000,000 items" in page
    line = next(line for line in page.splitlines() if line.startswith("| ClassBalancedSampler(progressive)"))
    assert [cell.strip() for cell in line.split("|")[2:-1]] == [MISSING, "4", "250", "45x", "1.33x", "6"]
    assert "not measured: torch.multinomial: torch.multinomial stops at 2^24 = 16,777,216 items" in page
    sentence_weights = page.splitlines()[-1]
    for figure in ("20,000,000 tokens", "2 ns per token", "20 ns per token (on 1,000,000 tokens)", ": 10x"):
        assert figure in sentence_weights


def test_the_terminal_needs_no_more_than_100_columns():
    rows = [
        timing(10**8, name, **dict.fromkeys(("draw_ns", "batch_ns", "loader_ns"), 1234567.0), setup_seconds=1234.5)
        for name in SAMPLERS
    ]
    out = StringIO()
    Console(file=out, width=100).print(render_terminal(SamplerMeasurement("", {}, "", rows, None)))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert [line.split("  ")[0] for line in lines[1 : len(SAMPLERS) + 1]] == list(SAMPLERS)


def test_files_hold_the_same_figures(tmp_path):
    paths = write_files(MEASURED, tmp_path / "new")
    assert [path.suffix for path in paths] == [".md", ".csv", ".json", ".png", ".svg"]
    assert all(path.stat().st_size for path in paths)
    assert list(pd.read_csv(paths[1])["draw_ns"].dropna()) == [3.0, 4.0, 180.0, 28.0]
    content = json.loads(paths[2].read_text())
    assert content["schema_version"] == 1
    assert content["rows"][1]["over_floor"] == 1.333
    assert content["sentence_weights"]["loop_ns"] == 20.0


def test_words_of_older_files_are_rendered_in_todays():
    assert timing(10**6, "floor of the machine", "floor").label == "lower bound"
    older_note = "declines: PyTorch's sampler stops at 2^24"
    assert timing(10**8, "a strategy", note=older_note).why_not_measured.startswith("not applicable: PyTorch's")


# Measured, quickly


@pytest.fixture
def _quick(monkeypatch):
    """Time single passes; do not measure memory."""
    monkeypatch.setattr(epoch_timing, "SHORTEST", 0.0)
    monkeypatch.setattr(size_timing, "BUILDS", 1)
    monkeypatch.setattr(measuring, "in_fresh_process", lambda function, name, items: 4 * items)


@pytest.mark.usefixtures("_quick")
def test_the_command_measures_every_variant_and_writes_it_down(imbench, tmp_path):
    code, out, err = imbench("samplers", "--sizes", "2e3", "--out", tmp_path)
    assert code == 0
    assert "2,000 items: round 5 of 5" in err
    content = json.loads((tmp_path / "samplers.json").read_text())
    rows = {row["variant"]: row for row in content["rows"]}
    assert set(SAMPLERS) <= set(rows)
    assert rows[MULTINOMIAL]["draw_ratio"] == 1
    assert rows[WEIGHTED_RANDOM]["loader_ratio"] == 1
    assert rows["ClassBalancedSampler"]["peak_bytes"] == 8000
    for name, row in rows.items():
        assert (row["draw_ns"] is None) == bool(row["note"])
        assert (row["resume_seconds"] is not None) == (name in SAMPLERS)
        assert name in out
    if not rows[LOWER_BOUND]["note"]:
        assert rows[LOWER_BOUND]["over_floor"] == 1
        assert rows["WeightedSampler"]["over_floor"] > 0
    assert content["sentence_weights"]["tokens"] == 40_000


@pytest.mark.usefixtures("_quick")
def test_where_memory_limits_them_each_variant_takes_turns_with_the_lower_bound_alone(imbench, tmp_path, monkeypatch):
    monkeypatch.setattr(size_timing, "TOGETHER", 1000)
    code, _, err = imbench("samplers", "--sizes", "2e3", "--out", tmp_path)
    assert code == 0
    assert "2,000 items, SentenceSampler: round 5 of 5" in err
    rows = {row["variant"]: row for row in json.loads((tmp_path / "samplers.json").read_text())["rows"]}
    assert set(SAMPLERS) | set(PEERS) <= set(rows)
    assert rows["WeightedSampler"]["draw_ns"] > 0
    assert rows["WeightedSampler"]["draw_ratio"] is None
    if not rows[LOWER_BOUND]["note"]:
        assert rows[LOWER_BOUND]["over_floor"] == 1
        assert rows["WeightedSampler"]["over_floor"] > 0


@pytest.mark.usefixtures("_quick")
def test_json_output_is_the_content_of_the_file(imbench, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "measure_size", lambda count, device, progress, draws_only: MEASURED.rows)
    code, out, err = imbench("samplers", "--sizes", "100", "--out", tmp_path, "--json")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "samplers.json").read_text()


@pytest.mark.parametrize("sizes", ["", "many", "1e6,", "10", "1e12", "nan", "inf"])
def test_invalid_sizes_are_one_line_and_exit_code_2(sizes, imbench):
    code, out, err = imbench("samplers", "--sizes", sizes)
    assert (code, out) == (2, "")
    assert err == f"imbench: --sizes {sizes}: give numbers of items from 100 to 2e9, such as 1e6,1e7\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_gpu_is_one_line_and_exit_code_2(imbench):
    code, _, err = imbench("samplers", "--device", "cuda")
    assert code == 2
    assert err.startswith("imbench: --device cuda: this torch sees no CUDA device")


def test_a_folder_that_cannot_be_written_to_is_reported_before_anything_is_measured(imbench, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(measuring, "measure_size", lambda *_, **__: pytest.fail("measured what would be lost"))
    code, _, err = imbench("samplers", "--sizes", "100", "--out", tmp_path / "file")
    assert code == 2
    assert "is a file; give another directory with --out" in err
