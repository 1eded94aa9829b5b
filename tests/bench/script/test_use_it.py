"""The program that a user takes home trains what the study trained, to the score, and predicts new files as that model does."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from repeated_run import RepeatedRun, repeat_run

from bench.tasks.synthetic_conll import synthesise
from bench.tasks.tagged_corpora import ConllFiles
from bench.user_data.table_task import TableTask

HOSTILE = ('"', "'", "{{ x }}", "{% if %}", "back\\slash", "naïve", "#hash", "\\n")


def write_corpus(directory: Path, *, scale: float = 0.01, scheme: str = "BIO") -> ConllFiles:
    """A small corpus with words that a careless program would trip over."""
    corpus = synthesise(scale, 0)
    directory.mkdir(parents=True)
    for part in ("train", "valid", "test"):
        sentences = getattr(corpus, part)
        lines = []
        for words, tags in zip(sentences.words, sentences.tags, strict=True):
            for place, (word, tag) in enumerate(zip(words, tags, strict=True)):
                written = HOSTILE[len(word) % len(HOSTILE)] if place == 1 else word
                lines.append(f"{written} {tag if scheme == 'BIO' else tag.replace('B-', 'I-')}\n")
            lines.append("\n")
        (directory / f"{part}.txt").write_text("".join(lines), encoding="utf-8")
    return ConllFiles("windows", directory=directory)


def write_table(path: Path, rows: int = 600) -> TableTask:
    """A small table whose names of columns and classes a careless program would trip over."""
    rng = np.random.default_rng(0)
    classes = rng.choice(["None", "True", "it's {{ 1.0 }}"], size=rows, p=[0.7, 0.2, 0.1])
    shift = pd.Series(classes).map({"None": 0.0, "True": 1.5, "it's {{ 1.0 }}": -1.5}).to_numpy()
    table = pd.DataFrame(
        {
            'a "quoted" name': rng.normal(size=rows) + shift,
            "it's {{ jinja }}": np.where(
                rng.random(rows) < 0.1, "", (rng.normal(size=rows) - shift).round(3).astype(str)
            ),
            "größe\\n": rng.choice(["klein", "groß", "'"], size=rows),
            "when": pd.date_range("2024-01-01", periods=rows, freq="h").astype(str),
            "the class": classes,
        }
    )
    table.to_csv(path, index=False, sep=";")
    return TableTask(str(path), "the class")


def untagged(directory: Path) -> Path:
    """The test file of a corpus without its tags."""
    lines = (directory / "test.txt").read_text(encoding="utf-8").split("\n")
    new = directory.parent / "new file.txt"
    new.write_text("\n".join(line.rpartition(" ")[0] for line in lines), encoding="utf-8")
    return new


def check_style(path: Path) -> None:
    """ruff's default rules find nothing."""
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", str(path)]
    finished = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


def predicted_tags(repeated: RepeatedRun, new: Path, out: Path) -> list[str]:
    assert "sentences" in repeated.call("predict", new, out)
    return [line.split("\t")[1] for line in out.read_text(encoding="utf-8").split("\n") if line]


def predicted_classes(repeated: RepeatedRun, new: Path, out: Path) -> list[str]:
    assert "predictions" in repeated.call("predict", new, out)
    with out.open(encoding="utf-8", newline="") as file:
        return [line["class"] for line in csv.DictReader(file)]


def test_a_tagger_lands_where_the_study_did_and_tags_a_file_without_tags(tmp_path):
    spec = write_corpus(tmp_path / "a 'corpus'")
    repeated = repeat_run(spec, tmp_path / "results", "loss-weights(power=0.5)", adjustment="thresholds")
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-3)
    names = [repeated.class_names[class_id] for class_id in repeated.classes]
    assert predicted_tags(repeated, untagged(spec.directory), tmp_path / "tags.txt") == names
    check_style(repeated.path)


@pytest.mark.parametrize(
    ("learner", "strategy", "adjustment"),
    [("mlp", "class-balanced-sampling", "prior-correction"), ("hist-gradient-boosting", "loss-weights", "thresholds")],
)
def test_a_classifier_lands_where_the_study_did_and_predicts_a_new_file(tmp_path, learner, strategy, adjustment):
    spec = write_table(tmp_path / "my table.csv")
    repeated = repeat_run(spec, tmp_path / "results", strategy, learner=learner, adjustment=adjustment)
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-3)
    table = pd.read_csv(spec.path, sep=";", dtype=str, keep_default_na=False)
    new = tmp_path / "new.csv"
    table.iloc[repeated.test_rows].drop(columns="the class").iloc[:, ::-1].to_csv(new, index=False, sep=";")
    names = [repeated.class_names[class_id] for class_id in repeated.classes]
    assert predicted_classes(repeated, new, tmp_path / "out.csv") == names
    check_style(repeated.path)
