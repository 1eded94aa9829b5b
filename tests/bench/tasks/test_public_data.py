"""Corpora and tables that are fetched from the web: verified, placed by hand, or an error that says what to do."""

from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import URLError

import pandas as pd
import pytest
from numpy.random import default_rng
from sklearn.utils import Bunch

from bench.errors import InputError
from bench.tasks import find_task, known_tasks
from bench.tasks.download_sources import PublishedFile, PublishedFiles
from bench.tasks.fetch import DATA_SETS, fetch
from bench.tasks.fetched_files import FetchedFiles, cache_root, sha256
from bench.tasks.open_corpora import CORPORA
from bench.tasks.scikit_learn_tables import TABLES, ScikitLearnTable
from bench.tasks.task import MissingData
from bench.user_data.source import find_source

OPEN_CORPORA = Path(__file__).parents[4] / "shared" / "data"
"""Copies of corpora under open licences, next to some checkouts."""

TEXT = b"Ada B-PER\nsmiled O\n\nLondon B-LOC\nslept O\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def web(tmp_path):
    """The address of a server that holds three files."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    folder = tmp_path / "web"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(TEXT + name.encode() + b" O\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def published(web: str) -> PublishedFiles:
    names = {"train.txt": "a", "valid.txt": "b", "test.txt": "c"}
    files = [PublishedFile(name, f"{web}/{at}", sha256(TEXT + at.encode() + b" O\n")) for name, at in names.items()]
    return PublishedFiles(tuple(files), FetchedFiles("wnut17", "wnut17", tuple(names)), timeout_seconds=5)


# Corpora


def test_published_files_are_downloaded_verified_and_a_task(web, cache):
    said: list[str] = []
    with pytest.raises(MissingData, match="run: imbench fetch wnut17"):
        find_task("wnut17").load(default_rng(0))
    fetch("wnut17", say=said.append, sources=(published(web),))
    assert "wnut17: CC BY 4.0; please cite Derczynski et al. (2017)" in said[1]
    spec = find_task("wnut17(kind=sentences)")
    task = spec.load(default_rng(0))
    assert (spec.label, spec.data_location, spec.how_to_get) == ("wnut17(sentences)", "", "")
    assert said[1] in task.notes
    assert len(task.train.labels) == 2
    assert find_source("wnut17").how_to_get == ""


def test_a_file_with_other_content_is_refused_and_the_message_says_where_files_go(web, cache):
    source = published(web)
    changed = replace(source, published=(replace(source.published[0], sha256="000"), *source.published[1:]))
    with pytest.raises(InputError) as error:
        fetch("wnut17", say=lambda line: None, sources=(changed,))
    message = str(error.value)
    assert f"{web}/a: expected sha256 000; found " in message
    assert f"put the files into {cache / 'wnut17'}: {web}/a as train.txt, {web}/b as valid.txt" in message
    assert "\n" not in message


def test_files_that_the_user_has_put_there_are_verified_and_not_downloaded(cache):
    source = published("http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"refused.*or put the files into .*wnut17: "):
        fetch("wnut17", say=lambda line: None, sources=(source,))
    (cache / "wnut17").mkdir(parents=True)
    for name, letter in (("train.txt", b"a"), ("valid.txt", b"b"), ("test.txt", b"c")):
        (cache / "wnut17" / name).write_bytes(TEXT + letter + b" O\n")
    fetch("wnut17", say=lambda line: None, sources=(source,))
    assert find_task("wnut17").how_to_get == ""


@pytest.mark.parametrize(
    ("name", "files", "sizes"),
    [
        ("wnut17", {"train": "train", "valid": "dev", "test": "test"}, (3394, 1009, 1287)),
        ("wikigold", {"train": "all"}, (1195, 254, 247)),
    ],
)
def test_the_published_corpora_have_the_checksums_of_the_real_files(name, files, sizes, cache):
    if not (OPEN_CORPORA / name).is_dir():
        pytest.skip("the folder shared/data is not next to the checkout")
    (cache / name).mkdir(parents=True)
    for part, file in files.items():
        (cache / name / f"{part}.txt").write_bytes((OPEN_CORPORA / name / f"{file}.txt").read_bytes())
    fetch(name, say=lambda line: None)
    corpus = find_task(name).read()
    assert tuple(len(part) for part in (corpus.train, corpus.valid, corpus.test)) == sizes


# Tables that scikit-learn downloads


def download_stand_in(*, as_frame: bool, data_home: str) -> Bunch:
    assert as_frame
    assert Path(data_home).is_dir()
    rows = 40
    data = pd.DataFrame(
        {
            "protocol": pd.Series([b"tcp", b"udp"] * (rows // 2), dtype=object),
            "bytes": pd.Series(range(rows), dtype=object),
            "class": [0.5, 1.5, 2.5, 3.5] * (rows // 4),
            "flag": pd.Categorical(["a", "b", "b", "c"] * (rows // 4)),
        }
    )
    return Bunch(data=data, target=pd.Series([b"normal."] * 30 + [b"smurf."] * 10, name="labels", dtype=object))


def test_a_table_that_scikit_learn_downloads_is_stored_with_types_and_its_label(cache):
    source = replace(TABLES[1], download=download_stand_in)
    directory = fetch("kddcup99", say=lambda line: None, sources=(source,))
    table = pd.read_parquet(directory / "table.parquet")
    assert list(table) == ["protocol", "bytes", "class_", "flag", "class"]
    assert table["protocol"].tolist()[:2] == ["tcp", "udp"]
    assert pd.api.types.is_integer_dtype(table["bytes"])
    task = find_task("kddcup99").load(default_rng(0))
    assert task.train.labels.class_names == ("normal.", "smurf.")
    assert {name: kind for name, kind, _, _ in task.columns}["flag"] == "categories"
    assert TABLES[1].notice in task.notes


@pytest.mark.parametrize("error", [URLError("Name or service not known"), ValueError("Dataset 7 not found.")])
def test_a_download_that_fails_is_one_line_with_what_to_do(error):
    def fail(**arguments):
        raise error

    for name in ("covertype", "openml:7"):
        source = replace(ScikitLearnTable.of_openml("openml:7"), download=fail)
        with pytest.raises(InputError) as failure:
            fetch(name, say=lambda line: None, sources=(source,))
        assert "scikit-learn could not download it: " in str(failure.value)
        assert str(failure.value).startswith(f"{name}: no source could be read (")
        assert str(failure.value).endswith("connect and fetch again")
        assert "\n" not in str(failure.value)


def test_a_data_set_of_openml_is_a_task_by_its_number(cache):
    source = replace(ScikitLearnTable.of_openml("openml:7"), download=download_stand_in)
    assert find_task("openml:7").how_to_get == "not here; run: imbench fetch openml:7"
    fetch("openml:7", say=lambda line: None, sources=(source,))
    assert (cache / "openml-7" / "table.parquet").is_file()
    assert find_task("openml:7").load(default_rng(0)).imbalance.items == 40
    with pytest.raises(InputError, match=r"openml:credit-g: OpenML's data sets have numbers; write openml:ID"):
        find_task("openml:credit-g")
    nameless = replace(
        source, download=lambda **arguments: Bunch(data=download_stand_in(**arguments).data, target=None)
    )
    with pytest.raises(InputError, match=r"openml:8: .*names no column to predict"):
        fetch("openml:8", say=lambda line: None, sources=(nameless,))


# The list


def test_every_data_set_is_listed_with_its_terms_and_how_to_get_it():
    known = known_tasks()
    for corpus in CORPORA:
        assert known[corpus.name].licence == corpus.licence
    for name in ("covertype", "kddcup99", "wnut17", "wikigold"):
        assert known[name].build(name, None).how_to_get == f"not here; run: imbench fetch {name}"
        assert name in DATA_SETS
        assert DATA_SETS[name].files.directory.is_relative_to(cache_root())
