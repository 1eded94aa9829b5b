"""Errors that a user can fix: one line on standard error, exit code 2, and earlier results stay as they are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from command_line import all_files, assert_refused

GOOD = dict.fromkeys(("train", "valid", "test"), "Ada B-PER\nsmiled O\n\nBob B-PER\n")

BAD_ARGUMENTS = {
    "unknown suite": (["run", "quik"], "no suite 'quik': did you mean quick? a suite is full, learning, quick, tuned, or"),
    "suite that is not there": (["run", "quick.toml"], "no suite 'quick.toml'"),
    "unknown strategy": (["run", "SUITE", "--strategy", "los-weights"], "did you mean loss-weights or"),
    "unknown strategy parameter": (["run", "SUITE", "--strategy", "loss-weights(pwr=1)"], "did you mean power?"),
    "unreadable strategy": (["run", "SUITE", "--strategy", "loss-weights(1"], "cannot read 'loss-weights(1'"),
    "unknown task": (["run", "SUITE", "--task", "digit-lt"], "did you mean digits-lt?"),
    "task of another model": (["run", "SUITE", "--task", "conll2003-sentences"], "no task trained with bilstm-tagger"),
    "bad task parameter": (["run", "SUITE", "--task", "digits-lt(factor=0)"], "factor must be from 1 to 100"),
    "bad corpus size": (["run", "SUITE", "--task", "synthetic-conll(scale=99)"], "imbench: synthetic-conll: scale must be"),
    "unknown option": (["run", "SUITE", "--seed", "3"], "No such option: --seed"),
    "unknown command": (["train", "SUITE"], "No such command 'train'"),
    "no seeds": (["run", "SUITE", "--seeds", "0"], "greater than or equal to 1"),
    "seeds in words": (["run", "SUITE", "--seeds", "two"], "--seeds"),
    "no workers": (["run", "SUITE", "--workers", "0"], "greater than or equal to 1"),
    "unknown device": (["run", "SUITE", "--device", "tpu"], "'auto', 'cpu', 'cuda'"),
    "no such device": (["run", "SUITE", "--device", "cuda"], "this torch sees no CUDA device; use --device cpu or auto"),
    "unknown retry": (["run", "SUITE", "--retry", "all"], "'--retry': 'all' is not one of 'failed'"),
    "corpus that is not there": (["run", "SUITE", "--conll2003", "nowhere", "--task", "conll2003-windows"], "nowhere"),
    "unknown metric": (["run", "SUITE", "--metric", "f1"], "'f1'; give macro-f1"),
    "metric of words": (["run", "SUITE", "--metric", "entity-f1"], "entity-f1: this task has no entities"),
    "two metrics": (["report", "nowhere", "--metric", "macro-f1", "--objective", "entity-f1"], "--objective is the old name"),
    "status of nothing": (["status", "nowhere"], "nowhere holds no study (no study.json); give a directory that"),
    "status of no directory": (["status", "SUITE"], "holds no study"),
    "report of nothing": (["report", "nowhere"], "nowhere holds no study (no study.json); give a directory that"),
    "list of nothing": (["list", "task"], "'what': 'task' is not one of 'strategies', 'tasks'"),
    "unknown data set": (["fetch", "conll2004"], "no such data set to fetch; did you mean conll2003?"),
    "data set like no other": (["fetch", "imagenet"], "no such data set to fetch; known: conll2003, keel"),
}  # fmt: skip

BAD_FILES = {
    "missing directory": ({}, "", "mine: expected a directory of"),
    "missing part": ({**GOOD, "test": None}, "", "mine: expected a file test"),
    "ragged line": ({**GOOD, "valid": "Ada B-PER\nsmiled a lot O\n"}, "", "valid.txt:2: expected 2 columns"),
    "missing column": (GOOD, "(tag_column=3)", "train.txt:1: expected a column 3 (tag_column)"),
    "column that is no number": (GOOD, "(tag_column=last)", "tag_column must be a whole number or none; given: 'last'"),
    "empty tag": ({**GOOD, "test": "Oslo\tB-LOC\nis\t\n"}, "", "test.txt:2: expected a tag O, B-X or I-X; found ''"),
    "not a tag": ({**GOOD, "train": "Ada PER\n"}, "", "train.txt:1: expected a tag O, B-X or I-X; found 'PER'"),
    "another scheme": (GOOD, "(scheme=bilou)", "train.txt:1: expected U-PER, by BILOU; found B-PER ('Ada')"),
    "unknown scheme": (GOOD, "(scheme=iob3)", "scheme must be 'auto' or 'bio' or 'iob2' or"),
    "not UTF-8": ({**GOOD, "test": "Zo\u00eb B-PER\n"}, "", "test.txt:1: expected UTF-8 text; found the byte 0xeb"),
    "empty file": ({**GOOD, "test": ""}, "", "test.txt:1: expected at least one sentence"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_are_refused_in_one_line_and_earlier_results_stay(imbench, place, earlier, monkeypatch, case):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    arguments, why = BAD_ARGUMENTS[case]
    out = ["--out", earlier] if arguments[0] == "run" else []
    before = all_files(earlier)
    assert_refused(imbench(*(place.suite if each == "SUITE" else each for each in arguments), *out), why)
    assert all_files(earlier) == before


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_with_their_line_and_earlier_results_stay(imbench, place, earlier, tmp_path, case):
    parts, options, why = BAD_FILES[case]
    for part, text in parts.items():
        (tmp_path / "mine").mkdir(exist_ok=True)
        if text is not None:
            (tmp_path / "mine" / f"{part}.txt").write_bytes(text.encode("latin-1"))
    before = all_files(earlier)
    assert_refused(imbench("run", place.suite, "--task", f"conll:{tmp_path / 'mine'}{options}", "--out", earlier), why)
    assert all_files(earlier) == before


@pytest.mark.parametrize(("key", "other"), [("torch", "1.0"), ("device", "cuda")])
def test_results_of_another_torch_or_device_are_not_added_to(imbench, place, earlier, key, other):
    study = json.loads((earlier / "study.json").read_text())
    study["environment"][key] = other
    (earlier / "study.json").write_text(json.dumps(study))
    before = all_files(earlier)
    assert_refused(imbench("run", place.suite, "--out", earlier), f"was run with {key} {other}")
    assert all_files(earlier) == before


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_damaged_study_is_refused_with_the_way_to_fix_it(imbench, earlier, command):
    (earlier / "study.json").write_text("{")
    assert_refused(
        imbench(command, earlier), "cannot be read as a study of this version; move it away and run the suite again"
    )


@pytest.mark.parametrize("below", ["", "deep/down"])
def test_a_file_at_the_path_of_the_results_is_refused_in_one_line(imbench, place, below):
    out = place.suite / below
    assert_refused(
        imbench("run", place.suite, "--task", "digits-lt", "--out", out),
        f"{out}: results cannot be written here: {place.suite} is a file; give another directory with --out\n",
    )


@pytest.mark.parametrize("folder", ["", "runs", "tables"])
def test_a_results_directory_that_cannot_be_written_is_refused_before_anything_is_trained(
    imbench, place, earlier, engine, monkeypatch, folder
):
    monkeypatch.setattr("os.access", lambda path, mode: not (mode & os.W_OK and Path(path) == earlier / folder))
    assert_refused(
        imbench("run", place.suite, "--out", earlier, "--seeds", 4),
        f"{earlier}: results cannot be written here: {earlier / folder} is read-only; give another directory",
    )
    assert engine.trained == []


def test_files_other_than_those_of_the_published_figures_are_noted_once(imbench, tmp_path):
    (tmp_path / "mine").mkdir()
    for part, text in GOOD.items():
        (tmp_path / "mine" / f"{part}.txt").write_text(text)
    tasks = ["--task", "conll2003-windows", "--task", "conll2003-windows-tags"]
    answer = imbench("run", "quick", *tasks, "--conll2003", tmp_path / "mine", "--out", tmp_path / "out", "--dry-run")
    notes = [line for line in answer.out.splitlines() if "other sha256" in line]
    assert len(notes) == 1
    assert notes[0].startswith("note: conll2003-windows, conll2003-windows-tags: the files are not those")


def test_a_corpus_without_a_single_entity_is_refused_in_one_line(imbench, place, tmp_path):
    (tmp_path / "mine").mkdir()
    for part in ("train", "valid", "test"):
        (tmp_path / "mine" / f"{part}.txt").write_text("Ada O\nsmiled O\n")
    assert_refused(
        imbench("run", place.suite, "--task", f"conll:{tmp_path / 'mine'}", "--out", tmp_path / "out"), "one class"
    )
