"""Tagged text in every form gives one corpus; what cannot be read is refused in one line that says where and how to fix it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError
from bench.tasks.task import Task
from bench.user_data.corpus_task import CorpusTask
from bench.user_data.source import find_source, holds_tagged_text
from bench.user_data.table_task import TableTask

Sentence = list[tuple[str, str]]
TRAIN: list[Sentence] = [
    [("Ada", "B-PER"), ("Lovelace", "I-PER"), ("smiled", "O")],
    [("Paris", "B-LOC"), ("sleeps", "O")],
    [("so", "O"), ("it", "O"), ("goes", "O")],
]
VALID: list[Sentence] = [[("Ada", "B-PER"), ("slept", "O")], [("in", "O"), ("Paris", "B-LOC")]]
TEST: list[Sentence] = [[("Rome", "B-LOC"), ("smiled", "O")], [("Bob", "B-PER"), ("goes", "O")]]
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}
ALL = TRAIN + VALID + TEST


def columns(sentences: list[Sentence]) -> str:
    return "\n".join("".join(f"{word}\t{tag}\n" for word, tag in sentence) for sentence in sentences)


def records(sentences: list[Sentence], words: str = "tokens", tags: str = "tags") -> list[dict[str, Any]]:
    return [
        {"id": number, words: [word for word, _ in sentence], tags: [tag for _, tag in sentence]}
        for number, sentence in enumerate(sentences)
    ]


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def load(data: Path, **options: Any) -> Task:
    task = find_source(data, **options)
    assert isinstance(task, CorpusTask)
    return pickle.loads(pickle.dumps(task)).load(np.random.default_rng(0))


@pytest.fixture
def expected(tmp_path: Path) -> str:
    """The fingerprint of the corpus as a directory of CoNLL files, which tests of their own check."""
    directory = tmp_path / "corpus"
    directory.mkdir()
    for part, sentences in PARTS.items():
        write(directory / f"{part}.txt", columns(sentences))
    task = load(directory)
    assert task.train.labels.class_names == ("O", "B-LOC", "B-PER", "I-PER")
    assert task.notes[0] == "the tags are in BIO"
    return task.fingerprint


def test_files_of_parts_are_the_corpus_of_a_directory(tmp_path: Path, expected: str):
    files = {part: write(tmp_path / f"{part}.conll", columns(sentences)) for part, sentences in PARTS.items()}
    assert load(files["train"], valid=files["valid"], test=str(files["test"])).fingerprint == expected


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize(("words", "tags"), [("tokens", "tags"), ("words", "ner_tags"), ("Tokens", "labels")])
def test_rows_of_lists_are_the_same_corpus(tmp_path: Path, expected: str, words: str, tags: str, as_array: bool):
    files = {}
    for part, sentences in PARTS.items():
        rows = records(sentences, words, tags)
        files[part] = write(tmp_path / f"{part}.json", json.dumps(rows, indent=1) if as_array else lines(rows))
    assert load(files["train"], valid=files["valid"], test=files["test"]).fingerprint == expected


def test_lists_of_words_and_tags_of_other_names(tmp_path: Path, expected: str):
    files = {}
    for part, sentences in PARTS.items():
        rows = [{**row, "pos": ["X"] * len(row["w"])} for row in records(sentences, "w", "entity")]
        files[part] = tmp_path / f"{part}.parquet"
        pd.DataFrame(rows).to_parquet(files[part])
    options: dict[str, Any] = {"valid": files["valid"], "test": files["test"]}
    with pytest.raises(
        InputError, match=r"columns of lists: w, entity, pos; name two of them with --text and --target"
    ):
        find_source(files["train"], **options)
    task = load(files["train"], text="w", target="entity", **options)
    assert task.fingerprint == expected
    assert "the words are those of w, the tags those of entity; --target names another: pos" in task.notes


def test_one_file_is_split_and_its_scheme_is_converted(tmp_path: Path):
    sentences = [[(f"w{number}", "I-LOC"), ("sleeps", "O")] for number in range(20)]
    tokens = write(tmp_path / "all.jsonl", lines(records(sentences)))
    text = write(tmp_path / "all.txt", columns(sentences))
    by_lists, by_lines = load(tokens), load(text)
    assert by_lists.digest == by_lines.digest
    assert any("20 of 40 tags were converted from IO to BIO" in note for note in by_lists.notes)
    assert any("all.jsonl was split in contiguous blocks of 70/15/15%" in note for note in by_lists.notes)


def test_a_file_for_one_part_leaves_the_other_to_be_split_off(tmp_path: Path):
    sentences = [[(f"w{number}", "B-LOC"), ("sleeps", "O")] for number in range(20)]
    train, valid = (write(tmp_path / f"{name}.txt", columns(part)) for name, part in (("a", sentences), ("b", VALID)))
    task = load(train, valid=valid)
    assert [len(part.sentences) - 1 for part in (task.train, task.valid, task.test) if part.sentences is not None] == [
        *(17, 2, 3)
    ]
    assert any("the last for test, which has no file" in note for note in task.notes)


def test_rows_without_words_and_words_with_tabs_are_noted(tmp_path: Path):
    rows = [*records(ALL), {"id": 99, "tokens": [], "tags": []}, {"id": 98, "tokens": ["a\tb"], "tags": ["O"]}]
    task = load(write(tmp_path / "all.jsonl", lines(rows)))
    assert "1 sentence of all.jsonl without a word left out" in task.notes
    assert "tabs and line breaks in 1 word of all.jsonl are read as blanks" in task.notes


def test_a_file_that_changed_is_read_again(tmp_path: Path):
    path = write(tmp_path / "all.jsonl", lines(records(ALL)))
    before = load(path).fingerprint
    write(path, lines(records(ALL[1:])))
    assert load(path).fingerprint != before


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"tokens": ["a", "b"], "tags": ["O"]},
            "expected one tag for each of the 2 words in tokens; found 1 tag in tags",
        ),
        ({"tokens": ["a"], "tags": None}, "expected a list in tags; found 'None'; give every sentence both lists"),
        ({"tokens": ["a"], "tags": [1]}, "found the number 1, without a list of names; write their names"),
        ({"tokens": ["a"], "tags": [1.5]}, "expected a tag in tags, such as O or B-PER; found '1.5'"),
        ({"tokens": ["a"], "tags": [None]}, "expected a tag in tags, such as O or B-PER; found 'None'"),
        ({"tokens": [None], "tags": ["O"]}, "expected a word in tokens; found 'None'; write every word as text"),
        ({"tokens": [["a"]], "tags": ["O"]}, "expected a word in tokens"),
        ({"tokens": ["a"], "tags": [""]}, "expected a tag"),
        ({"tokens": ["a"], "tags": ["Q-PER"]}, "expected a tag O, B-X or I-X; found 'Q-PER'"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, row: dict[str, Any], message: str):
    path = write(tmp_path / "all.jsonl", lines([*records(TRAIN), row]))
    with pytest.raises(InputError) as error:
        find_source(path)
    assert str(error.value).startswith(f"{path}:4: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_options_that_tagged_text_has_not_are_refused(tmp_path: Path):
    path = write(tmp_path / "all.txt", columns(ALL))
    with pytest.raises(InputError, match="holds tagged text, and --group user is for tables: leave it out"):
        find_source(path, group="user")
    with pytest.raises(InputError, match=r"--test .*gone.txt: there is no such file; check the path"):
        find_source(path, test=tmp_path / "gone.txt")
    conll = write(tmp_path / "all.conll", columns(ALL))
    with pytest.raises(
        InputError,
        match=r"plain\.txt is a table .of tagged text, blank lines separate the sentences., so name the column",
    ):
        find_source(write(tmp_path / "plain.txt", "a b\nc d\n"))
    with pytest.raises(InputError, match="--target tag: columns of CoNLL files have numbers, from 0"):
        find_source(conll, target="tag")
    with pytest.raises(
        InputError, match=r"no column of lists named 'tokens'; its columns of lists: words, ner; name one that"
    ):
        find_source(
            write(tmp_path / "a.jsonl", lines(records(ALL))),
            valid=write(tmp_path / "b.jsonl", lines(records(VALID, "words", "ner"))),
        )
    assert load(conll, target="1", text="0").fingerprint == load(conll).fingerprint


def test_a_table_is_not_taken_for_tagged_text(tmp_path: Path):
    rows = [{"tokens": ["a", "b"], "size": number % 7 / 2, "spam": str(number % 2)} for number in range(40)]
    assert isinstance(find_source(write(tmp_path / "mail.jsonl", lines(rows)), target="spam"), TableTask)
    table = "size,spam\n" + "".join(f"{number % 7 / 2},{number % 2}\n" for number in range(40))
    for name in ("mail.txt", "mail.csv"):
        assert isinstance(find_source(write(tmp_path / name, table), target="spam"), TableTask)


def test_a_table_of_lists_and_ids_alone_is_refused(tmp_path: Path):
    rows = [{"tokens": ["a", "b"], "number": number, "spam": str(number % 2)} for number in range(40)]
    with pytest.raises(InputError, match="no column is left to predict from"):
        find_source(write(tmp_path / "mail.jsonl", lines(rows)), target="spam")


def test_json_lines_are_recognised_from_their_beginning(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = '{"words": ["on", "time"], "tags": ["O", "TIME"]}\n'
    path.write_text(row * 20_000 + "no JSON\n")  # which only whoever reads all of the file sees
    assert holds_tagged_text(path)
