"""Folders of the hub's layout become tasks: labels and tags by name, texts found, parts by their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from bench.errors import InputError
from bench.tasks.task import Task, TaskSpec
from bench.user_data import hugging_face as module
from bench.user_data.corpus_task import CorpusTask
from bench.user_data.source import find_source
from bench.user_data.table_task import TableTask

WORDS = ["late", "rude", "cold", "slow", "kind", "fast", "warm", "nice"]
LABEL = {"names": ["bad", "good"], "_type": "ClassLabel"}
TAGS = {"feature": {"names": ["O", "B-PER", "I-PER"], "_type": "ClassLabel"}, "_type": "List"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_skip_retries_without_a_connection", lambda: None)  # it tries a connection
    return tmp_path / "cache"


def reviews(rows: int, start: int = 0) -> pd.DataFrame:
    numbers = range(start, start + rows)
    words = [f"the food was {WORDS[number % 8]} and it came on day {number}" for number in numbers]
    return pd.DataFrame({"idx": list(numbers), "sentence": words, "label": [number % 8 // 4 for number in numbers]})


def entities(rows: int, start: int = 0) -> pd.DataFrame:
    tokens = [["Ada", f"Nr{number}", "smiled"] for number in range(start, start + rows)]
    return pd.DataFrame({"tokens": tokens, "ner_tags": [[1, 2, 0]] * rows, "pos_tags": [[7, 8, 9]] * rows})


def save(frame: pd.DataFrame, path: Path, features: dict[str, Any] | None = None) -> None:
    """A Parquet file as `datasets` writes it: its features are in the metadata of its schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, path)


def load(task: TaskSpec) -> Task:
    return task.load(np.random.default_rng(0))


def test_class_labels_and_the_text_are_found(tmp_path: Path):
    folder = tmp_path / "reviews"
    features = {"label": LABEL, "sentence": {"dtype": "string", "_type": "Value"}}
    for shard in range(2):
        save(reviews(30, shard * 30), folder / "data" / f"train-{shard:05}-of-00002.parquet", features)
    save(reviews(20, 60), folder / "data" / "validation-00000-of-00001.parquet", features)
    save(reviews(20, 80), folder / "data" / "test-00000-of-00001.parquet", features)
    task = find_source(folder)
    assert isinstance(task, TableTask)
    assert (task.label, task.target, task.text) == ("reviews", "label", "sentence")
    loaded = load(task)
    assert set(loaded.train.labels.class_names) == {"bad", "good"}
    assert [len(part.labels) for part in (loaded.train, loaded.valid, loaded.test)] == [60, 20, 20]
    assert "chosen by the data set's features: label, the column to predict and sentence, the text" in loaded.notes
    assert find_source(folder) == task  # the copies in the cache are the same files


def test_token_tags_are_named(tmp_path: Path):
    folder = tmp_path / "people"
    for part, rows in (("train", 9), ("validation", 4), ("test", 4)):
        save(entities(rows, rows * 100), folder / f"{part}-00000-of-00001.parquet", {"ner_tags": TAGS})
    task = find_source(folder)
    assert isinstance(task, CorpusTask)
    loaded = load(task)
    assert task.label == "people"
    assert loaded.train.labels.class_names == ("B-PER", "I-PER", "O")
    assert len(loaded.train.labels) == 27
    assert "the words are those of tokens, the tags those of ner_tags; --target names another: pos_tags" in loaded.notes


def test_a_parquet_file_of_token_tags_alone(tmp_path: Path):
    save(entities(9), tmp_path / "people.parquet", {"ner_tags": TAGS})
    assert load(find_source(tmp_path / "people.parquet")).train.labels.class_names == ("B-PER", "I-PER", "O")


def test_files_of_text_take_their_classes_from_the_card(tmp_path: Path):
    pytest.importorskip("yaml")
    folder = tmp_path / "reviews"
    for part, rows in (("train", 60), ("test", 20)):
        (folder / part).mkdir(parents=True)
        reviews(rows, rows).to_csv(folder / part / "data.csv", index=False)
    (folder / "README.md").write_text(
        "---\nlicense: mit\ndataset_info:\n  features:\n  - name: sentence\n    dtype: string\n  - name: label\n    dtype:\n"
        "      class_label:\n        names:\n          '0': bad\n          '1': good\n---\n# Reviews\n"
    )
    loaded = load(find_source(folder))
    assert set(loaded.train.labels.class_names) == {"bad", "good"}
    assert len(loaded.test.labels) == 20


def test_a_part_whose_labels_are_secret_is_left_out(tmp_path: Path):
    folder = tmp_path / "reviews"
    save(reviews(60), folder / "train.parquet", {"label": LABEL})
    save(reviews(20, 60).assign(label=-1), folder / "test.parquet", {"label": LABEL})
    loaded = load(find_source(folder))
    assert "test is left out: none of its 20 rows has a label" in loaded.notes
    assert len(loaded.train.labels) + len(loaded.valid.labels) + len(loaded.test.labels) == 60


def test_a_folder_that_datasets_saved(tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "idx": datasets.Value("int64"),
            "sentence": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["bad", "good"]),
        }
    )
    datasets.disable_progress_bars()
    parts = {
        part: datasets.Dataset.from_pandas(reviews(rows, rows), features=features, preserve_index=False)
        for part, rows in (("train", 60), ("test", 20))
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    loaded = load(find_source(tmp_path / "saved"))
    assert set(loaded.train.labels.class_names) == {"bad", "good"}
    assert len(loaded.test.labels) == 20
    assert load(find_source(tmp_path / "saved" / "train")).train.labels.class_names == loaded.train.labels.class_names


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["en/train.parquet", "de/train.parquet"], r"2 data sets have a part train: .*give one folder: .*de or .*en$"),
        (["train_a.parquet", "train_b.parquet"], "2 data sets have a part train: .*; move the others away"),
        (["a.parquet", "b.parquet"], r"a\.parquet, b\.parquet are no parts of one data set by their names; give one"),
        (["train.parquet", "test.csv"], r"it holds files of \.csv and \.parquet; give one file"),
        (
            ["validation.parquet", "test.parquet"],
            "no file for train; found test.parquet, validation.parquet; rename or add it",
        ),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path, files: list[str], message: str):
    for name in files:
        path = tmp_path / "folder" / name
        save(reviews(20), path)
    with pytest.raises(InputError, match=message) as error:
        find_source(tmp_path / "folder")
    assert "\n" not in str(error.value)


def test_what_is_not_clear_is_asked(tmp_path: Path):
    frame = reviews(20).drop(columns="label")
    save(frame.assign(a=1.5, premise=frame["sentence"]), tmp_path / "two" / "train.parquet")
    with pytest.raises(
        InputError, match="two: name the column to predict with --target; its columns: idx, sentence, a, premise"
    ):
        find_source(tmp_path / "two")
    other = reviews(20).rename(columns={"sentence": "premise"})
    save(other.assign(hypothesis=other["premise"].str.upper()), tmp_path / "pair" / "train.parquet", {"label": LABEL})
    with pytest.raises(InputError, match="2 columns hold texts: premise, hypothesis; name one with --text"):
        find_source(tmp_path / "pair")
    save(reviews(20).assign(label=5), tmp_path / "odd" / "train.parquet", {"label": LABEL})
    with pytest.raises(InputError, match="odd, train, label: the class 5 has no name; its 2 names are bad, good"):
        find_source(tmp_path / "odd")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "train.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(InputError, match=r"train\.parquet: cannot be read .*; copy or download it again"):
        find_source(tmp_path / "cut")


# By name


class Hub:
    """Stands for the library datasets, which the tests do not need, and fails as it is asked to."""

    class exceptions:  # noqa: N801
        class DatasetNotFoundError(FileNotFoundError): ...

    def __init__(self, known: dict[tuple[str, str | None], Any], error: Exception | None = None) -> None:
        self.known, self.error = known, error

    def disable_progress_bars(self) -> None: ...

    def load_dataset(self, name: str, configuration: str | None) -> Any:
        if self.error:
            raise self.error
        if (name, configuration) not in self.known:
            raise self.exceptions.DatasetNotFoundError(name)
        return self.known[name, configuration]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConnectionError("Max retries exceeded\nhost='huggingface.co'"), "the hub cannot be reached .ConnectionError."),
        (
            ValueError("Config name is missing.\nPick one among: ['cola', 'sst2']"),
            r"write hf:NAME/CONFIG with one of cola, sst2",
        ),
        (
            RuntimeError("Dataset scripts are no longer supported"),
            "RuntimeError: Dataset scripts are no longer supported; download",
        ),
        (None, "the hub has no such data set, or it is not public; check the name"),
    ],
)
def test_a_name_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch, error: Exception | None, message: str):
    monkeypatch.setitem(__import__("sys").modules, "datasets", Hub({}, error))
    with pytest.raises(InputError, match=message) as raised:
        find_source("hf:glue/sst2")
    assert str(raised.value).startswith("hf:glue/sst2: ")
    assert "\n" not in str(raised.value)


def test_a_name_without_the_library(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(InputError, match=r"hf:imdb needs the library datasets: pip install .imbalance-bench\[hf\]."):
        find_source("hf:imdb")


def test_a_name_with_a_configuration_gives_its_splits(monkeypatch: pytest.MonkeyPatch):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    frame = reviews(60).rename(columns={"sentence": "text"})[["text", "label"]]
    rows = datasets.Dataset.from_pandas(frame, features=features, preserve_index=False)
    splits = {"train": rows, "test": rows.select(range(20)), "unsupervised": rows}
    monkeypatch.setattr(
        datasets,
        "load_dataset",
        lambda name, configuration: Hub({("glue", "sst2"): splits}).load_dataset(name, configuration),
    )
    monkeypatch.setattr(datasets.exceptions, "DatasetNotFoundError", Hub.exceptions.DatasetNotFoundError)
    task = find_source("hf:glue/sst2")
    loaded = load(task)
    assert task.label == "glue/sst2"
    assert set(loaded.train.labels.class_names) == {"bad", "good"}
    assert "glue/sst2 comes from the Hugging Face hub; licence: none named; read the terms on its page" in loaded.notes
    assert "splits left out: unsupervised" in loaded.notes
    assert module.PREFIX == "hf:"
