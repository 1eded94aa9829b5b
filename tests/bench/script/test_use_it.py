"""The program that a user takes home trains what the study trained, to the score, and predicts new files as that model does."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from repeated_run import RepeatedRun, repeat_run

from bench.comparison.given_data import keep_data
from bench.tasks import row_chunks
from bench.tasks.synthetic_conll import synthesise
from bench.tasks.tagged_corpora import ConllFiles
from bench.user_data import large_table, table_task
from bench.user_data.corpus_task import CorpusTask
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
    (tmp_path / "empty.txt").write_text("\n")
    expected = "text with one word per line and an empty line after each sentence"
    said = repeated.call("predict", tmp_path / "empty.txt", tmp_path / "tags.txt")
    assert said.strip() == f"{tmp_path / 'empty.txt'}: no sentences; expected {expected}"
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    said = repeated.call("predict", tmp_path / "binary.txt", tmp_path / "tags.txt")
    assert "cannot be read ('utf-8' codec can't decode" in said
    assert said.strip().endswith(f"expected {expected}")
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


def write_texts(path: Path, rows: int = 300) -> TableTask:
    """A table with a column of texts."""
    rng = np.random.default_rng(0)
    unhappy = rng.random(rows) < 0.2
    words = [["late", "bad", 'broken "box"', "never"], ["good", "on time", "thanks", "it's fine"]]
    texts = [" ".join(rng.choice(words[int(rng.random() < (0.3 if bad else 0.9))], size=6)) for bad in unhappy]
    pd.DataFrame({"review": texts, "stars": np.where(unhappy, 1.0, 5.0)}).to_csv(path, index=False)
    return TableTask(str(path), "stars", text="review")


def write_parquet(path: Path, rows: int = 400) -> TableTask:
    """A table with types, as it is written from a data frame."""
    rng = np.random.default_rng(0)
    y = rng.random(rows) < 0.15
    kinds = pd.Categorical(rng.choice(["a", "b"], size=rows))
    frame = pd.DataFrame({"x": rng.normal(size=rows) + y, "kind": kinds, "flag": rng.random(rows) < 0.5, "y": y})
    frame.to_parquet(path)
    return TableTask(str(path), "y")


ESTIMATOR = """
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class Own(ExtraTreesClassifier):
    pass


def build():
    return make_pipeline(StandardScaler(), Own(n_jobs=2))
"""

CASES = [
    *(("windows", "", strategy, "raw") for strategy in ("none", "logit-adjustment", "deferred-reweighting")),
    ("windows", "", "random-oversampling", "thresholds"),
    ("windows", "", "square-root-sampling+focal", "raw"),
    *(("sentences", "", strategy, "raw") for strategy in ("none", "sentence-weights", "deferred-reweighting")),
    ("sentences", "", "sentence-duplication", "thresholds"),
    *(
        ("table", "mlp", strategy, "raw")
        for strategy in ("none", "smote", "random-undersampling", "deferred-resampling")
    ),
    ("table", "mlp", "focal+progressive-sampling", "thresholds(objective=balanced-accuracy)"),
    ("table", "mlp", "loss-weights", "post-hoc-adjustment"),
    ("table", "logistic-regression", "smote", "raw"),
    ("table", "random-forest", "loss-weights(power=0.5)+class-balanced-sampling", "raw"),
    ("table", "hist-gradient-boosting", "random-undersampling", "prior-correction"),
    ("table", "FILE", "loss-weights", "thresholds"),
    *(
        ("table", "hist-gradient-boosting", ensemble, "raw")
        for ensemble in ("balanced-random-forest", "easy-ensemble", "rus-boost", "balanced-bagging")
    ),
    *(("text", learner, "loss-weights", "thresholds") for learner in ("mlp", "logistic-regression")),
    *(("parquet", learner, "none", "raw") for learner in ("mlp", "hist-gradient-boosting")),
]
"""Kind of data, learner, strategy and adjustment."""


def make_task(kind: str, directory: Path):
    if kind in ("windows", "sentences"):
        return replace(write_corpus(directory / "corpus"), kind=kind)
    write = {"table": write_table, "text": write_texts, "parquet": write_parquet}[kind]
    return write(directory / {"parquet": "data.parquet"}.get(kind, "data.csv"))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "learner", "strategy", "adjustment"), CASES)
def test_every_kind_of_data_and_remedy_lands_where_the_study_did(tmp_path, kind, learner, strategy, adjustment):
    if learner == "FILE":
        (tmp_path / "own model.py").write_text(ESTIMATOR)
        learner = f"{tmp_path / 'own model.py'}:build"
    spec = make_task(kind, tmp_path)
    repeated = repeat_run(spec, tmp_path / "results", strategy, learner=learner, adjustment=adjustment, steps=200)
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-3)
    assert "trained on all" in repeated.call("train-all")
    check_style(repeated.path)


def import_program(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A program as a module, which is faster than a process for each call."""
    spec = importlib.util.spec_from_file_location("use_it", path)
    program = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "use_it", program)  # what it saves is of functions of this module
    spec.loader.exec_module(program)
    return program


def refusal(program: ModuleType, *arguments: object) -> str:
    """What the program says when it gives up with exit code 2: one line."""
    said = io.StringIO()
    with pytest.raises(SystemExit) as stopped, contextlib.redirect_stderr(said):
        program.main(["predict", *map(str, arguments)])
    assert stopped.value.code == 2
    [line] = said.getvalue().splitlines()
    return line


def test_what_is_wrong_with_a_new_file_is_said_in_a_line(tmp_path, capsys, monkeypatch):
    repeated = repeat_run(write_table(tmp_path / "t.csv"), tmp_path / "results", learner="logistic-regression")
    program = import_program(repeated.path, monkeypatch)
    lines = (tmp_path / "t.csv").read_bytes().splitlines(keepends=True)
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    new.write_bytes(b"".join(lines[:9]))
    assert "run python use_it.py first" in refusal(program, new, out)
    program.main([])  # where a warning is an error
    expected = "text with columns separated by semicolons, named as in DATA"
    assert f"NEW is {expected}; it needs no column 'the class'." in program.__doc__

    contents = {
        b"": "No columns to parse from file); expected " + expected,
        b"PAR1\x15\x04\xff\x00\x81": "can't decode byte 0xff in position 6: invalid start byte); expected " + expected,
        lines[0]: "no rows; add the rows to predict",
        lines[0] + b'"1;2;3;4;5\n': "EOF inside string starting at row 1); expected " + expected,
        lines[0].replace(
            b";", b","
        ): "columns are missing: 'a \"quoted\" name', \"it's {{ jinja }}\", 'größe\\\\n' and 1 more; "
        f"is it {expected}?",
    }
    for content, reason in contents.items():
        bad = tmp_path / "bad.csv"
        bad.write_bytes(content)
        said = refusal(program, bad, out)
        assert said.startswith(f"{bad}: ")
        assert reason in said
    assert refusal(program, new, tmp_path / "none" / "out.csv").endswith(
        f"there is no folder {tmp_path / 'none'}; make it, or write to another one"
    )
    assert "Is a directory" in refusal(program, new, tmp_path)
    assert not out.exists()

    capsys.readouterr()
    program.main(["predict", str(new), str(out)])
    assert capsys.readouterr().err == ""
    cells = [line.decode().split(";") for line in lines[:6]]
    cells[1][1], cells[2][1], cells[3][1] = "abc", "?", "12 €"
    cells[4][2], cells[5][3] = "riesig", "soon"
    new.write_text("".join(";".join(row) for row in cells), encoding="utf-8")
    program.main(["predict", str(new), str(out)])
    assert capsys.readouterr().err.splitlines() == [
        "2 rows: it's {{ jinja }} has values that cannot be read ('abc', '12 €'); they count as missing",
        "1 row: größe\\n has values that are new or rare ('riesig'); they count as no category",
        "1 row: when has values that cannot be read ('soon'); they count as missing",
    ]
    assert len(pd.read_csv(out)) == 5


@pytest.mark.parametrize("suffix", [".csv.gz", ".jsonl", ".jsonl.gz", ".parquet"])
def test_a_damaged_file_is_refused_in_a_line(tmp_path, monkeypatch, suffix):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=300), "y": rng.random(300), "the class": rng.random(300) < 0.2})
    path, bad = tmp_path / f"t{suffix}", tmp_path / f"bad{suffix}"

    def write(rows: pd.DataFrame, path: Path) -> None:
        if suffix == ".csv.gz":
            rows.to_csv(path, index=False)
        elif ".jsonl" in suffix:
            rows.to_json(path, orient="records", lines=True)
        else:
            rows.to_parquet(path)

    write(table, path)
    spec = TableTask(str(path), "the class")
    program = import_program(repeat_run(spec, tmp_path, learner="logistic-regression").path, monkeypatch)
    assert (suffix == ".parquet") == ("pyarrow" in program.__doc__)
    program.main([])
    content = path.read_bytes()
    middle = len(content) // 2
    damages = [content[:middle], content[:-50] + bytes(50), b"", b"\x1f\x8b", b"a;b\n1;2\n"]
    if suffix != ".parquet":  # its numbers have no checksum
        damages.append(content[:middle] + bytes(200) + content[middle + 200 :])
    for damaged in damages:
        bad.write_bytes(damaged)
        assert refusal(program, bad, tmp_path / "out.csv").startswith(f"{bad}: ")
    write(table[["x"]], bad)
    assert "columns are missing: 'y'" in refusal(program, bad, tmp_path / "out.csv")
    path.unlink()
    with pytest.raises(SystemExit) as stopped:
        program.main([])  # the data it trains on
    assert stopped.value.code == 2


def test_sentences_without_words_are_refused_in_a_line(tmp_path, monkeypatch):
    path, new = tmp_path / "data.jsonl", tmp_path / "new.jsonl"
    sentence = '{"tokens": ["Ada", "lives", "in", "Rome"], "tags": ["B-PER", "O", "O", "B-LOC"]}\n'
    path.write_text("".join(sentence.replace("in", f"in{row}") for row in range(40)), encoding="utf-8")
    program = import_program(
        repeat_run(CorpusTask("windows", path=str(path), target="tags", text="tokens"), tmp_path).path, monkeypatch
    )
    program.main([])
    for line in ('["Ada"]', '{"words": ["Ada"]}', '{"tokens": "Ada"}', '{"tokens": [1]}', "3", "null"):
        new.write_text(sentence + line, encoding="utf-8")
        said = refusal(program, new, tmp_path / "out.txt")
        assert said == f"{new}: sentence 2 has no list of words under the key 'tokens'"
    for content in (b"", b"\xff", b'{"tokens": [', b"\x1f\x8b"):
        new.write_bytes(content)
        assert refusal(program, new, tmp_path / "out.txt").startswith(f"{new}: ")


def test_a_program_of_arrays_predicts_arrays(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 2, 3)), rng.random(300) < 0.2
    x[y] += 1
    given = keep_data(x, y, None, None, lambda name, target: tmp_path)
    spec = TableTask(given.path, given.target)
    repeated = repeat_run(spec, tmp_path / "results", learner="logistic-regression")
    program = import_program(repeated.path, monkeypatch)
    program.main([])
    assert "an .npz file with X (N, 6), an .npy file of X, or Parquet with the columns x0 to x5." in program.__doc__
    test = x[repeated.test_rows]
    np.savez(tmp_path / "new.npz", X=test)
    np.save(tmp_path / "new.npy", test.reshape(len(test), 6))
    pd.read_parquet(given.path).iloc[repeated.test_rows].to_parquet(tmp_path / "new.parquet")
    names = [repeated.class_names[class_id] for class_id in repeated.classes]
    for new in ("new.npz", "new.npy", "new.parquet"):
        program.main(["predict", str(tmp_path / new), str(tmp_path / "out.csv")])
        assert pd.read_csv(tmp_path / "out.csv", dtype=str)["class"].tolist() == names
    np.savez(tmp_path / "bad.npz", x=test)
    assert "X is not a file in the archive" in refusal(program, tmp_path / "bad.npz", tmp_path / "out.csv")
    np.save(tmp_path / "bad.npy", test[:, 0])
    assert "cannot reshape array" in refusal(program, tmp_path / "bad.npy", tmp_path / "out.csv")
    (tmp_path / "bad.csv").write_text("x0,x1\n1,2\n", encoding="utf-8")
    assert "expected an .npz file" in refusal(program, tmp_path / "bad.csv", tmp_path / "out.csv")
    check_style(repeated.path)


def test_a_large_table_is_read_as_the_study_read_it(tmp_path, monkeypatch):
    for module in (large_table, table_task):
        monkeypatch.setattr(module, "MOST_ROWS", 100)
    monkeypatch.setattr(row_chunks, "MOST_FITTED", 100)
    write_table(tmp_path / "t.csv")
    pd.read_csv(tmp_path / "t.csv", sep=";", keep_default_na=False).to_parquet(tmp_path / "t.parquet")
    spec = TableTask(str(tmp_path / "t.parquet"), "the class")
    repeated = repeat_run(spec, tmp_path / "results", learner="logistic-regression", adjustment="thresholds")
    assert "MOST_FITTED = 100" in repeated.path.read_text(encoding="utf-8")
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-6)
    assert "trained on all 600 rows" in repeated.call("train-all")
    check_style(repeated.path)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["entity-f1", "balanced-accuracy", "worst-class-recall"])
def test_a_program_computes_the_metric_of_its_study(tmp_path, metric):
    repeated = repeat_run(write_corpus(tmp_path / "corpus"), tmp_path / "results", metric=metric, steps=200)
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-3)


@pytest.mark.slow
def test_tags_that_were_converted_are_read_from_a_copy(tmp_path):
    spec = write_corpus(tmp_path / "corpus", scheme="IO")
    repeated = repeat_run(spec, tmp_path / "results", steps=200)
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-3)
    assert "use_it_data.txt" in repeated.path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_validation_labels_that_were_added_are_trained_on(tmp_path):
    repeated = repeat_run(write_table(tmp_path / "t.csv"), tmp_path / "results", learner="mlp", adds_validation=True)
    assert repeated.run() == pytest.approx(repeated.score, abs=1e-3)


@pytest.mark.slow
def test_wrong_use_is_reported_in_a_line(tmp_path):
    repeated = repeat_run(write_table(tmp_path / "t.csv"), tmp_path / "results", learner="logistic-regression")
    new = tmp_path / "new.csv"
    new.write_text("a;b\n1;2\n", encoding="utf-8")
    assert "run python use_it.py first" in repeated.call("predict", new, tmp_path / "out.csv")
    assert "on test" in repeated.call()
    assert "columns are missing: 'a \"quoted\" name'" in repeated.call("predict", new, tmp_path / "out.csv")
    assert "there is no such file" in repeated.call("predict", tmp_path / "none.csv", tmp_path / "out.csv")
    assert "python use_it.py predict" in repeated.call("predict")
