"""A tagged corpus before it becomes a task: words and tags by sentence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Sentences:
    """Sentence i has the words `words[i]` and the tags `tags[i]`, equally many."""

    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class Corpus:
    """Three parts of one corpus, and notes on what was done to it, such as a conversion."""

    name: str
    train: Sentences
    valid: Sentences
    test: Sentences
    notes: tuple[str, ...] = ()
    entities: bool = True
    """Whether the tags mark entities; else they are classes of single words, such as parts of speech."""

    def fingerprint(self) -> str:
        """Return a hash of every word and tag in order: two corpora with one fingerprint give the same numbers."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test):
            for words, tags in zip(part.words, part.tags, strict=True):
                digest.update("\x1f".join((*words, "", *tags, "\x1e")).encode())
            digest.update(b"\x1d")
        return digest.hexdigest()[:16]
