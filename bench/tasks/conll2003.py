"""CoNLL-2003 English: read from the user's directory or from the cache that `bench.tasks.fetch` fills; downloads nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import PARTS, Corpus
from bench.tasks.fetched_files import FetchedFiles, sha256
from bench.tasks.part_files import find_part_files
from bench.tasks.tag_schemes import Scheme

SHA256 = {
    "train.txt": "213953b5522fb7924802d883e50f027b2c6ffb5d4d0e63368ed82909f9b60423",
    "valid.txt": "c02eb19809eafb83998326a0481942eb37d96f31826ae387cfe8773699969f5b",
    "test.txt": "dc4ac7f3d6d01a6bec59261814561da3b287b6b493b97d1f69c580b52ec1831b",
}
"""The files that this project's published figures were measured on."""
FILES = tuple(f"{part}.txt" for part in PARTS)
FETCHED = FetchedFiles("conll2003", "CoNLL-2003", FILES, alternative=", or give a directory that holds them")


def load_conll2003(directory: Path | None = None, *, scheme: Scheme | None = "auto") -> Corpus:
    """Read CoNLL-2003 from `directory` (the shared task's own files are IOB1), else from the cache.

    The corpus has a note if the files are not those that this project's figures were measured on.
    Raises MissingData if there is neither, InputError if the files are damaged or cannot be read.
    """
    directory = verified_cache() if directory is None else directory
    corpus = read_corpus(directory, name="conll2003", scheme=scheme)
    if [sha256(path.read_bytes()) for path in find_part_files(directory).values()] == [SHA256[name] for name in FILES]:
        return corpus
    note = "the files are not those that this project's figures were measured on (other sha256)"
    return replace(corpus, notes=(note, *corpus.notes))


def cache_directory() -> Path:
    """Return where the fetched files are; the environment variable IMBENCH_CACHE moves the cache's root."""
    return FETCHED.directory


def verified_cache() -> Path:
    """Return the cache directory, after a check that every file is as it was fetched.

    Raises MissingData if nothing was fetched, InputError if a file is missing or differs.
    """
    return FETCHED.verify()
