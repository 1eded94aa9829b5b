"""Corpora in a directory of column files: one word and its tag per line, a blank line between sentences."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise, zip_longest
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from bench.errors import InputError
from bench.tasks.corpus import PARTS, Corpus, Sentences

Scheme = Literal["bio", "iob1"]

SUFFIXES = (".txt", ".conll", ".tsv", ".bio", ".iob", ".words")
"""The endings of data files; next to a file `.words` there is a file `.labels`."""
STEMS = {"train": "train", "valid": "valid", "dev": "valid", "testa": "valid", "test": "test", "testb": "test"}
"""The part of the corpus that a file holds, by the stem of its name."""

_NAMES = f"{', '.join(STEMS)} with {', '.join(SUFFIXES)} (next to it .labels)"
_BLANKS = " \t\r\f\v"  # fewer than those of str.split: a no-break space or a line separator may be part of a word
_UNBROKEN = re.compile(f"[^{_BLANKS}]+")
_TAG = re.compile(r"O|[BI]-\S+")
_A_TAG = "a tag O, B-X or I-X"


class _Token(NamedTuple):
    word: str
    tag: str
    line: int


@dataclass(frozen=True)
class _Block:
    """Sentences of one file; `path` is the file that holds the tags."""

    path: Path
    sentences: tuple[tuple[_Token, ...], ...]

    def tags(self) -> list[str]:
        return [token.tag for sentence in self.sentences for token in sentence]


def read_corpus(
    directory: Path,
    *,
    name: str | None = None,
    token_column: int = 0,
    tag_column: int = -1,
    scheme: Scheme = "bio",
) -> Corpus:
    """Read the parts train, valid (dev, testa) and test (testb) of a directory, each from one file.

    A part is a file of columns (`train.txt`, `.conll`, `.tsv`, `.bio` or `.iob`), or `train.words` next to `train.labels` with
    one sentence per line. A directory with one data file is split in blocks of 70, 15 and 15%. Scheme "iob1" is converted to
    BIO; `-DOCSTART-` lines are skipped. The corpus has a note on what was converted or split.

    Raises an InputError that names the file, the line and how to fix it, for anything that cannot be read, for tags that
    break the scheme, and for tags of valid or test that train never has.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     for part in ("train", "dev", "test"):
    ...         _ = Path(directory, f"{part}.txt").write_text("Ada I-PER\\nsmiled O\\n")
    ...     corpus = read_corpus(Path(directory), name="smile", scheme="iob1")
    >>> corpus.valid
    Sentences(words=(('Ada', 'smiled'),), tags=(('B-PER', 'O'),))
    >>> corpus.notes
    ('3 of 6 tags were converted from IOB1 to BIO',)
    """
    if scheme not in get_args(Scheme):
        raise InputError(f"scheme must be one of {', '.join(get_args(Scheme))}; given: {scheme!r}")
    blocks = [
        _read_pair(path) if path.suffix == ".words" else _read_columns(path, token_column, tag_column)
        for path in data_files(directory)
    ]
    notes = []
    if scheme == "iob1":
        blocks, note = _convert_to_bio(blocks)
        notes.append(note)
    for block in blocks:
        _check_bio(block)
    if empty := sum(not token.word for block in blocks for sentence in block.sentences for token in sentence):
        notes.append(f"{empty:,} words are empty in the files and were kept")
    if len(blocks) == 1:
        notes.append(f"{blocks[0].path.name} was split in contiguous blocks of 70/15/15% of its sentences")
        blocks = _split(blocks[0])
    train, valid, test = blocks
    known = set(train.tags())
    _check_known("valid", valid, known)
    _check_known("test", test, known)
    return Corpus(
        name or directory.resolve().name, _sentences(train), _sentences(valid), _sentences(test), notes=tuple(notes)
    )


def data_files(directory: Path) -> tuple[Path, ...]:
    """Return the files of the parts train, valid and test, in this order, or the directory's only data file.

    Raises an InputError where a part has no file or more than one.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: expected a directory of {_NAMES}; found {_kind(directory)}; correct the path")
    files = sorted(path for path in directory.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if len(files) == 1:
        return tuple(files)
    return tuple(_part_file(directory, part, files) for part in PARTS)


def _part_file(directory: Path, part: str, files: list[Path]) -> Path:
    matching = [path for path in files if STEMS.get(path.stem) == part]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = ", ".join(path.name for path in matching)
        raise InputError(f"{directory}: expected one file for the part {part}; found {names}; move the others away")
    stems = " or ".join(stem for stem, of in STEMS.items() if of == part)
    present = sorted(path.name for path in directory.iterdir())
    listed = ", ".join(present[:9] + ["..."] * (len(present) > 9)) or "nothing"
    raise InputError(
        f"{directory}: expected a file {stems} with {', '.join(SUFFIXES)}, or one data file alone to be split; "
        f"found {listed}; rename or add the file"
    )


def _kind(path: Path) -> str:
    return "a file" if path.exists() else "nothing"


def _wrong(path: Path, line: int, expected: str, found: str, fix: str) -> InputError:
    return InputError(f"{path}:{line}: expected {expected}; found {found}; {fix}")


def _quote(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; only a line feed ends a line, since words may hold other separators of Unicode."""
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except FileNotFoundError:
        raise InputError(f"{path}: expected this file; found nothing; add it") from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable file; found: {error.strerror}; change its permissions") from None
    try:
        return content.decode().split("\n")
    except UnicodeDecodeError as error:
        line, byte = content.count(b"\n", 0, error.start) + 1, error.start - content.rfind(b"\n", 0, error.start)
        found = f"the byte 0x{content[error.start]:02x} at byte {byte} of the line"
        raise _wrong(path, line, "UTF-8 text", found, "save the file as UTF-8") from None


def _split_blanks(line: str) -> list[str]:
    """Return the words between blanks.

    >>> _split_blanks(" New\\u00a0York  B-LOC\\r")
    ['New\\xa0York', 'B-LOC']
    """
    return _UNBROKEN.findall(line)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, columns) of every line; no columns where a sentence ends."""
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            yield number, []
        elif "\t" in line:
            yield number, [column.strip(_BLANKS) for column in line.split("\t")]
        else:
            yield number, _split_blanks(line)


def _no_sentence(path: Path) -> InputError:
    return _wrong(path, 1, "at least one sentence", "none in the whole file", "add sentences, or remove the file")


def _read_columns(path: Path, token_column: int, tag_column: int) -> _Block:
    rows = list(_rows(path))
    first, head = next(((number, columns) for number, columns in rows if columns), (0, []))
    if not head:
        raise _no_sentence(path)
    at = {"token_column": token_column, "tag_column": tag_column}
    for option, column in at.items():
        if not -len(head) <= column < len(head):
            fix = f"give another {option}: {_list_columns(head)}"
            raise _wrong(path, first, f"a column {column} ({option})", f"{len(head)} columns", fix)
    if token_column % len(head) == tag_column % len(head):
        fix = f"give another token_column or tag_column: {_list_columns(head)}"
        raise _wrong(path, first, "a column of words and another of tags", f"column {token_column} for both", fix)

    def token(number: int, columns: list[str]) -> _Token:
        if len(columns) != len(head):
            fix = "correct the line; a word with a blank inside needs tabs between columns"
            raise _wrong(path, number, f"{len(head)} columns as on line {first}", f"{len(columns)} columns", fix)
        if not _TAG.fullmatch(columns[tag_column]):
            fix = f"correct the tag or give another tag_column: {_list_columns(columns)}"
            raise _wrong(path, number, _A_TAG, _quote(columns[tag_column]), fix)
        return _Token(columns[token_column], columns[tag_column], number)

    sentences = (
        tuple(token(*row) for row in sentence) for filled, sentence in groupby(rows, lambda row: bool(row[1])) if filled
    )
    return _Block(path, tuple(sentences))


def _list_columns(columns: list[str]) -> str:
    """Return the numbers and contents of a line's columns, to choose from.

    >>> _list_columns(["EU", "NNP", "B-ORG"])
    "0 is 'EU', 1 is 'NNP', 2 is 'B-ORG'"
    """
    return ", ".join(f"{number} is {_quote(column)}" for number, column in enumerate(columns))


def _read_pair(path: Path) -> _Block:
    labels = path.with_suffix(".labels")
    sentences = []
    for number, (words, tags) in enumerate(zip_longest(_sentence_lines(path), _sentence_lines(labels)), 1):
        if words is None or tags is None:
            longer, shorter = (path, labels) if tags is None else (labels, path)
            expected, found = f"a sentence, as in {longer.name}", "the end of the file"
            raise _wrong(shorter, number, expected, found, "give both files the same number of lines")
        if len(words) != len(tags):
            expected = f"{len(words)} labels, one for each word of {path.name}:{number}"
            raise _wrong(labels, number, expected, f"{len(tags)}", "correct the line; blanks separate words and labels")
        if bad := next((tag for tag in tags if not _TAG.fullmatch(tag)), None):
            raise _wrong(labels, number, _A_TAG, _quote(bad), "write one tag of BIO or IOB1 for each word")
        if words:
            sentences.append(tuple(_Token(word, tag, number) for word, tag in zip(words, tags, strict=True)))
    if not sentences:
        raise _no_sentence(path)
    return _Block(labels, tuple(sentences))


def _sentence_lines(path: Path) -> list[list[str]]:
    lines = [_split_blanks(line) for line in _lines(path)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _check_bio(block: _Block) -> None:
    for sentence in block.sentences:
        before = "O"
        for token in sentence:
            if token.tag.startswith("I-") and token.tag[2:] != before[2:]:
                expected = f"B-{token.tag[2:]} or {token.tag} before {token.tag} ({_quote(token.word)})"
                found = before if token is not sentence[0] else "the sentence's start"
                raise _wrong(
                    block.path, token.line, expected, found, "correct the tag, or give scheme=iob1 if it is IOB1"
                )
            before = token.tag


def _convert_to_bio(blocks: list[_Block]) -> tuple[list[_Block], str]:
    """Return the blocks with each I-X that follows no X changed to B-X, and a note on how many were changed."""
    bio = [_Block(block.path, tuple(tuple(_start_spans(sentence)) for sentence in block.sentences)) for block in blocks]
    before, after = ([tag for block in side for tag in block.tags()] for side in (blocks, bio))
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    return bio, f"{changed:,} of {len(after):,} tags were converted from IOB1 to BIO"


def _start_spans(sentence: tuple[_Token, ...]) -> Iterator[_Token]:
    before = "O"
    for token in sentence:
        starts_span = token.tag.startswith("I-") and token.tag[2:] != before[2:]
        yield token._replace(tag=f"B-{token.tag[2:]}") if starts_span else token
        before = token.tag


def _split(block: _Block) -> list[_Block]:
    total = len(block.sentences)
    if total < 4:
        fix = "add sentences, or give train, valid and test as three files"
        raise _wrong(block.path, 1, "at least 4 sentences to split 70/15/15", f"{total} in the whole file", fix)
    bounds = (0, total * 70 // 100, total * 85 // 100, total)
    return [_Block(block.path, block.sentences[a:b]) for a, b in pairwise(bounds)]


def _check_known(part: str, block: _Block, known: set[str]) -> None:
    for sentence in block.sentences:
        for token in sentence:
            if token.tag not in known:
                expected = f"a tag that train has ({', '.join(sorted(known))})"
                fix = "add sentences with it to train, or change the tag"
                raise _wrong(block.path, token.line, expected, f"{token.tag} in {part}", fix)


def _sentences(block: _Block) -> Sentences:
    return Sentences(
        words=tuple(tuple(token.word for token in sentence) for sentence in block.sentences),
        tags=tuple(tuple(token.tag for token in sentence) for sentence in block.sentences),
    )
