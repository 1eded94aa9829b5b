"""A tagged corpus as a program reads it: the user's own files, or a copy where these need more than a few lines of code."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.script.source_code import literal
from bench.tasks.corpus import PARTS, Corpus
from bench.tasks.part_files import find_part_files

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
    json: bool = False


def write_corpus(corpus: Corpus, location: Path, directory: Path) -> CorpusSource:
    """Return how a program reads a corpus of files, and write the parts of its sentences; `location` is the user's directory."""
    source, sentences = _find_reading(corpus, location)
    if source is None:
        sentences = list(_all(corpus))
        text = "\n".join(
            "".join(f"{word}\t{tag}\n" for word, tag in zip(*sentence, strict=True)) for sentence in sentences
        )
        (directory / COPY).write_text(text, encoding="utf-8", newline="\n")
        origin = str(location) or corpus.name
        source = CorpusSource(f"[Path(__file__).resolve().parent / {COPY!r}]", 0, 1, "\t", origin)
    write_parts(directory, _places(corpus, sentences))
    return source


def write_parts(directory: Path, rows: dict[str, list[int]]) -> None:
    """Write the rows of each part, numbered from 0 over all files."""
    with (directory / "use_it_parts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("row", "part"))
        writer.writerows((row, part) for part, numbers in rows.items() for row in numbers)


def _find_reading(corpus: Corpus, location: Path) -> tuple[CorpusSource | None, list[Sentence]]:
    """Return the plain reading of the user's files that gives the corpus, if there is one, and all sentences in its order."""
    wanted = sorted(_all(corpus))
    files = list(find_part_files(location).values()) if location.is_dir() else []
    if not files or any(path.suffix == ".words" for path in files):
        return None, []
    files_code = f"[{', '.join(f'Path({literal(str(path.resolve()))})' for path in files)}]"
    for separator in ("\t", ""):
        for word_column in (0, 1):
            for tag_column in (-1, 1, 2, 3, 0):
                try:
                    sentences = [s for path in files for s in _read_plainly(path, separator, word_column, tag_column)]
                except (IndexError, UnicodeDecodeError):
                    continue
                if sorted(sentences) == wanted:
                    return CorpusSource(files_code, word_column, tag_column, separator), sentences
    return None, []


def _read_plainly(path: Path, separator: str, word_column: int, tag_column: int) -> Iterator[Sentence]:
    """Yield the sentences of a file as a program reads them."""
    sentences: list[list[list[str]]] = [[]]
    for line in path.read_text(encoding="utf-8-sig").split("\n"):
        if not line.strip() or line.startswith("-DOCSTART-"):
            sentences.append([])
        else:
            sentences[-1].append(line.split(separator or None))
    for lines in filter(None, sentences):
        yield tuple(line[word_column] for line in lines), tuple(line[tag_column] for line in lines)


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
