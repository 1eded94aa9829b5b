"""Files that `imbench fetch` keeps in the user's cache, with the checksums that they were fetched with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import InputError
from bench.tasks.task import MissingData

MANIFEST = "source.json"
"""A file next to the fetched ones: {"source": where they came from, "sha256": {file: checksum}}, written last."""


def cache_root() -> Path:
    """Return the directory of the user's cache; the environment variable IMBENCH_CACHE names another one."""
    if root := os.environ.get("IMBENCH_CACHE"):
        return Path(root)
    from platformdirs import user_cache_path

    return user_cache_path("imbalance-bench")


def sha256(content: bytes) -> str:
    """Return the SHA-256 checksum in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class FetchedFiles:
    """Files that are fetched together."""

    name: str
    """What `imbench fetch` calls them."""
    title: str
    files: tuple[str, ...]
    alternative: str = ""
    """What else the user can do."""

    @property
    def directory(self) -> Path:
        """Where they are once they are fetched."""
        return cache_root() / self.name.replace(":", "-")  # which no name on Windows may hold

    @property
    def how_to_get(self) -> str:
        """How to get them; empty where they are here."""
        return "" if self.is_here() else f"not here; {self._fix}"

    def is_here(self) -> bool:
        """Return whether any of the files is in the cache."""
        return any((self.directory / name).exists() for name in self.files)

    def verify(self) -> Path:
        """Return the directory, after a check that every file is as it was fetched.

        Raises MissingData if nothing was fetched, InputError if a file is missing or differs.
        """
        directory = self.directory
        if not self.is_here():
            raise MissingData(
                f"{directory}: expected the files of {self.title}; found none; {self._fix}{self.alternative}"
            )
        recorded = self._read_checksums(directory / MANIFEST)
        for name in self.files:
            path = directory / name
            found = sha256(path.read_bytes()) if path.is_file() else "no file"
            if found != recorded[name]:
                raise InputError(f"{path}: expected sha256 {recorded[name]}; found {found}; to fix it, {self._fix}")
        return directory

    def store(self, files: Mapping[str, bytes], source: str) -> None:
        """Write the files, then the manifest that marks them as complete, each whole or not at all."""
        directory = self.directory
        manifest = {"source": source, "sha256": {name: sha256(content) for name, content in files.items()}}
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=directory) as drafts:
                for name, content in {**files, MANIFEST: json.dumps(manifest, indent=2).encode()}.items():
                    draft = Path(drafts, name)
                    draft.write_bytes(content)
                    draft.replace(directory / name)
        except OSError as error:
            raise InputError(
                f"{directory}: cannot be written ({error.strerror}); check its permissions, or set IMBENCH_CACHE to another one"
            ) from None

    @property
    def _fix(self) -> str:
        return f"run: imbench fetch {self.name}"

    def _read_checksums(self, manifest: Path) -> dict[str, str]:
        try:
            checksums = json.loads(manifest.read_bytes())["sha256"]
            return {name: str(checksums[name]) for name in self.files}
        except (OSError, ValueError, KeyError, TypeError):
            found = "other content" if manifest.exists() else "no file"
            raise InputError(
                f"{manifest}: expected the checksums of a finished fetch; found {found}; to fix it, {self._fix}"
            ) from None
