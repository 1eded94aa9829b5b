"""Tables are read from whatever wrote them, and what cannot be read is refused in one line that says where and what to do."""

from __future__ import annotations

import gzip
import io
import json
import pathlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError
from bench.user_data.table_file import TableFile, read_table, write_frame

FRAME = pd.DataFrame(
    {
        "amount": ["1.5", "-2", "3e2", "", "12.25"],
        "city": ["Rome", "Köln", 'a "b", c', "two\nlines", "Oslo"],
        "fraud": ["no", "yes", "no", "no", "yes"],
    }
)
TEXT = FRAME.to_csv(index=False)
PLAIN = "amount,city,fraud\n1.5,Rome,no\n-2,Oslo,yes\n7,Rome,no\n"

Read = Callable[..., TableFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(content: str | bytes, name: str = "t.csv", wanted: tuple[str, ...] = ("fraud",)) -> TableFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, wanted)

    return write_and_read


def refused(read: Read, content: str | bytes, name: str = "t.csv") -> str:
    with pytest.raises(InputError) as error:
        read(content, name)
    message = str(error.value)
    assert "\n" not in message
    return message[message.index(name) :]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^", "~"])
@pytest.mark.parametrize("quoting", [0, 1], ids=["quotes where needed", "quotes everywhere"])
def test_delimiters_are_found_whatever_the_name_of_the_file(read, delimiter, quoting):
    table = read(FRAME.to_csv(index=False, sep=delimiter, quoting=quoting), name="t.tsv")
    pd.testing.assert_frame_equal(table.frame, FRAME.astype("str"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(TEXT.encode("utf-16-be"), id="UTF-16 without a mark"),
        pytest.param(TEXT.encode("utf-32"), id="UTF-32"),
        pytest.param(TEXT.encode("latin-1"), id="Latin-1"),
        pytest.param(gzip.compress(TEXT.encode()), id="gzip"),
        pytest.param(f"# from the archive\n# of 2020\n{TEXT}", id="comments"),
        pytest.param(f"\n\n{TEXT}\n   \n", id="blank lines"),
        pytest.param(f"#{TEXT}", id="names after a hash"),
        pytest.param(TEXT.replace("no\n1", "no\n# a note\n1"), id="a comment among the rows"),
        pytest.param("sep=,\n" + TEXT, id="the line of Excel"),
    ],
)  # fmt: skip
def test_encodings_comments_and_packing(read, content):
    pd.testing.assert_frame_equal(read(content).frame, FRAME.astype("str"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("last", [True, False], ids=["ended", "last line not ended"])
def test_line_ends(read, end, last):
    content = PLAIN.replace("\n", end)
    table = read(content if last else content.removesuffix(end))
    assert table.frame.to_csv(index=False, lineterminator="\n") == PLAIN


def test_runs_of_blanks_separate_columns(read):
    table = read(pd.read_csv(io.StringIO(PLAIN)).to_string(index=False))
    assert table.frame.to_csv(index=False) == PLAIN.replace("-2,", "-2.0,").replace("7,", "7.0,")


def test_decimal_commas_do_not_separate_columns(read):
    content = "a;b;fraud\n1,5;2,5;no\n2,5;3,5;yes\n"
    assert list(read(content).frame["b"]) == ["2,5", "3,5"]


def test_names_of_rows_that_r_writes_are_a_column(read):
    content = "amount,fraud\n1,0.5,no\n2,0.7,yes\n"
    assert list(read(content).frame.columns) == ["column1", "amount", "fraud"]


def test_a_delimiter_at_the_end_of_each_row_makes_no_column_of_names(read):
    frame = read("amount,fraud\n0.5,no,\n0.7,yes,\n").frame
    assert list(frame["amount"]) == ["0.5", "0.7"]
    assert set(frame["column3"]) == {""}


def test_a_file_without_names_gets_them_by_place_and_says_so(read):
    table = read(PLAIN.split("\n", 1)[1])
    assert list(table.frame.columns) == ["column1", "column2", "column3"]
    assert len(table.frame) == 3
    assert "line 1 holds numbers ('1.5,Rome,no')" in " ".join(table.notes)


def test_names_that_are_numbers_are_names_if_the_target_is_among_them(read):
    assert list(read("2019,2020,fraud\n1,2,no\n3,4,yes\n").frame.columns) == ["2019", "2020", "fraud"]


def test_a_text_longer_than_a_block_is_read(read):
    long = "word " * 2_000_000
    assert len(read(f'text,fraud\n"{long}",no\nshort,yes\n').frame["text"][0]) == len(long)


def test_what_was_recognised_is_said(read):
    assert "semicolons" in " ".join(read(PLAIN.replace(",", ";")).notes)
    assert "CP1252" in " ".join(read(TEXT.encode("latin-1")).notes)
    assert "UTF-16" in " ".join(read(TEXT.encode("utf-16")).notes)
    assert "comments in the table skipped: 1 line, the first is line 3" in " ".join(
        read(PLAIN.replace("-2", "# a note\n-2")).notes
    )
    assert read(PLAIN).notes == ()


LINES = PLAIN.splitlines()
JSON = pd.read_csv(io.StringIO(PLAIN)).to_json(orient="records", lines=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"t.csv: the file is empty \(0 bytes\); copy or download it again"),
        (b" \n\n", "blank lines alone"),
        ("amount,city,fraud\n", "names columns .* but holds no rows"),
        ("# nothing\n# here\n", "comments alone"),
        ("fraud\nno\nyes\n", "no columns found"),
        (PLAIN.replace("Oslo", "Os\0lo"), r"t.csv:3: the line holds a NUL byte.*tr -d"),
        (TEXT.encode("latin-1") + "3,Köln,no\n".encode(), "line 8 is UTF-8 and line 3 is not .* mixes encodings"),
        ("\n".join([*LINES[:2], "1,2,3,4", *LINES[2:]]), r"t.csv:3: the line has 4 values, and there are 3 columns; correct"),
        ("\n".join([*LINES[:2], "1,2", *LINES[2:], ""]), r"t.csv:3: the line has 2 values, and there are 3 columns; correct"),
        (PLAIN + "5,Ro", r"t.csv:5: the line has 2 values, and there are 3 columns: the file is cut off"),
        (PLAIN + '5,"Rome,no\n6,Rome,no\n', r"t.csv:5: a quote is opened here and not closed"),
        (PLAIN + '5,"Rome,no\n6,"Oslo",no\n', r"t.csv:5: a quote is opened here and not closed"),
        (PLAIN + '5,Rome,"no', r"t.csv:5: a quote is opened here and not closed"),
        (PLAIN.replace("city", "amount"), r"2 columns are called 'amount' \(columns 1, 2\).*in line 1"),
        (PLAIN + PLAIN, "t.csv:5: the line repeats the names of the columns; delete it"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:40], "gzip archive is cut off or damaged"),
        (b"PK\x03\x04" + bytes(50), "an Excel workbook or a zip archive: save the sheet as CSV"),
        ("% a comment\n@RELATION iris\n@ATTRIBUTE x REAL\n@DATA\n1\n", "the file is ARFF: .*loadarff"),
        (b"<!DOCTYPE html><p>not found", "a web page: download the data itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)  # fmt: skip
def test_refused_text(read, content, said):
    assert re.search(said, refused(read, content))


def test_parquet_keeps_its_types(read, tmp_path):
    frame = pd.DataFrame({"amount": [1.5, np.nan], "day": pd.to_datetime(["2024-01-01", None]), "kind": ["a", None]})
    frame["kind"] = frame["kind"].astype("category")
    write_frame(frame, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv").frame, frame, check_dtype=False)
    whole = (tmp_path / "t.csv").read_bytes()
    assert "Parquet file is cut off" in refused(read, whole[: len(whole) // 2])
    assert "is no Parquet, whatever its name" in refused(read, PLAIN, "t.parquet")


def test_a_frame_of_odd_columns_is_written(tmp_path):
    frame = pd.DataFrame({1: [1, "a"], ("x", 2): [2, 3], "z": [None, b"a"]})
    write_frame(frame, tmp_path / "f.parquet")
    table = read_table(tmp_path / "f.parquet").frame
    assert list(table.columns) == ["1", "x_2", "z"]
    assert list(table["1"]) == ["1", "a"]
    with pytest.raises(InputError, match="'a'"):
        write_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]), tmp_path / "f.parquet")


def test_json_lines_and_arrays_of_objects(read):
    frame = pd.DataFrame({"amount": [1.5, None], "city": ["Rome", "Köln"], "fraud": [False, True]})
    for lines in (True, False):
        table = read(frame.to_json(orient="records", lines=lines), "t.jsonl")
        pd.testing.assert_frame_equal(table.frame, frame, check_dtype=False)
    for lines in ("[1, 2]\n[3, 4]\n", "[1, 2]\n", '{"a": 1}\n[3]\n'):
        assert 'each line must be an object, {"column": value}' in refused(read, lines, "t.jsonl")
    assert re.search("t.jsonl:2: no JSON", refused(read, '{"a": 1, "fraud": 0}\n{"a": 1, "fr', "t.jsonl"))
    assert "one object per row" in refused(read, '{"a": [1, 2], "fraud": [0, 1]}', "t.json")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(PLAIN.replace(",", ";"), id="semicolons"),
        pytest.param(f"# note\n{PLAIN}".encode("utf-16"), id="comments in UTF-16"),
        pytest.param(PLAIN.replace("-2", "# a note\n-2"), id="a comment among the rows"),
        pytest.param(PLAIN.split("\n", 1)[1], id="no names"),
        pytest.param("\n".join(f"{n},{line}" if n else line for n, line in enumerate(LINES)), id="names of rows"),
        pytest.param(PLAIN.replace("city", " the  city "), id="blanks in names"),
        pytest.param(JSON, id="JSON lines"),
        pytest.param(gzip.compress(JSON.encode()), id="packed JSON lines"),
        pytest.param(gzip.compress(PLAIN.encode()), id="packed"),
        pytest.param(pd.read_csv(io.StringIO(PLAIN)).to_json(orient="records"), id="an array of objects"),
    ],
)  # fmt: skip
def test_the_code_reads_the_same_table(read, content):
    table = read(content)
    pd.testing.assert_frame_equal(
        eval(table.code, {"pd": pd, "json": json, "gzip": gzip, "pathlib": pathlib, "path": table.path}),
        table.frame,
        check_dtype=False,
    )
