"""A tagged corpus as a program reads it: the user's own files, or a copy where these need more than a few lines of code."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from bench.script.source_code import literal
from bench.tasks.corpus import PARTS, Corpus

COPY = "use_it_data.txt"

Sentence = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class CorpusSource:
    """What the template of taggers reads."""

    files: str
    """The expression of the files' paths."""
    word_column: int
    tag_column: int
    separator: str
    """Of columns; empty for blanks."""
    origin: str = ""
    """Where a copy comes from; empty where the files are the user's own."""
    word_key: str = ""
    tag_key: str = ""
    """Of files with a JSON object per line."""

    @property
    def format(self) -> str:
        """What a new file must be."""
        if self.json:
            return f"JSON lines, one object per sentence, with its words under the key {self.word_key!r}"
        parted = f" (column {self.word_column} of a line, counted from 0)" if self.word_column else ""
        return f"text with one word per line{parted} and an empty line after each sentence"

    @property
    def json(self) -> bool:
        """Whether lines are JSON objects."""
        return bool(self.word_key)


def write_corpus(corpus: Corpus, files: Sequence[Path], directory: Path) -> CorpusSource:
    """Return how a program reads a corpus, and write the parts of its sentences; `files` are the user's, if there are any."""
    source, sentences = _find_reading(corpus, files)
    if source is None:
        sentences = list(_all(corpus))
        text = "\n".join(
            "".join(f"{word}\t{tag}\n" for word, tag in zip(*sentence, strict=True)) for sentence in sentences
        )
        (directory / COPY).write_text(text, encoding="utf-8", newline="\n")
        source = CorpusSource(f"[Path(__file__).resolve().parent / {COPY!r}]", 0, 1, "\t", origin=corpus.name)
    write_parts(directory, _places(corpus, sentences))
    return source


def write_parts(directory: Path, rows: dict[str, list[int]]) -> None:
    """Write the rows of each part, numbered from 0 over all files."""
    with (directory / "use_it_parts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("row", "part"))
        writer.writerows((row, part) for part, numbers in rows.items() for row in numbers)


def _find_reading(corpus: Corpus, files: Sequence[Path]) -> tuple[CorpusSource | None, list[Sentence]]:
    """Return the plain reading of the user's files that gives the corpus, if there is one, and all sentences in its order."""
    wanted = sorted(_all(corpus))
    paths = f"[{', '.join(f'Path({literal(str(path.resolve()))})' for path in files)}]"
    for source in _possible_readings(files, paths):
        try:
            sentences = [sentence for path in files for sentence in _read_plainly(path, source)]
        except (IndexError, KeyError, TypeError, ValueError):
            continue
        if sorted(sentences) == wanted:
            return source, sentences
    return None, []


def _possible_readings(files: Sequence[Path], paths: str) -> Iterator[CorpusSource]:
    """Yield readings of files that may fit, the most common first."""
    if not files or any(path.suffix in (".words", ".gz", ".parquet", ".pq") for path in files):
        return
    if files[0].suffix in (".jsonl", ".ndjson", ".json"):
        for words, tags in permutations(_list_keys(files[0]), 2):
            yield CorpusSource(paths, 0, 0, "", word_key=words, tag_key=tags)
        return
    for separator in ("\t", ""):
        for word_column in (0, 1):
            for tag_column in (-1, 1, 2, 3, 0):
                yield CorpusSource(paths, word_column, tag_column, separator)


def _list_keys(path: Path) -> list[str]:
    """Return the keys of lists in the first JSON object of a file."""
    try:
        first = json.loads(next(line for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()))
        return [key for key, value in first.items() if isinstance(value, list)]
    except (ValueError, StopIteration, AttributeError):
        return []


def _read_plainly(path: Path, source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a file as a program reads them."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    if source.json:
        for sentence in map(json.loads, filter(str.strip, lines)):
            yield tuple(sentence[source.word_key]), tuple(sentence[source.tag_key])
        return
    rows: list[list[str]] = []
    for line in [*lines, ""]:
        if line.strip() and not line.startswith("-DOCSTART-"):
            rows.append(line.split(source.separator or None))
        elif rows:
            yield tuple(row[source.word_column] for row in rows), tuple(row[source.tag_column] for row in rows)
            rows = []


def _all(corpus: Corpus) -> Iterator[Sentence]:
    for part in (corpus.train, corpus.valid, corpus.test):
        yield from zip(part.words, part.tags, strict=True)


def _places(corpus: Corpus, sentences: list[Sentence]) -> dict[str, list[int]]:
    """Return the rows of each part in its order; of equal sentences, each is taken once."""
    places: defaultdict[Sentence, list[int]] = defaultdict(list)
    for row in reversed(range(len(sentences))):
        places[sentences[row]].append(row)
    return {
        name: [places[sentence].pop() for sentence in zip(part.words, part.tags, strict=True)]
        for name, part in zip(PARTS, (corpus.train, corpus.valid, corpus.test), strict=True)
    }
