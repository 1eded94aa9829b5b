"""Files of columns, one word per line: which lines are words, and which columns hold the word and its tag."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, zip_longest
from pathlib import Path
from typing import NamedTuple

from bench.errors import InputError
from bench.tasks.tag_schemes import has_scheme, parse_tag, types

_BLANKS = " \t\r\f\v"  # fewer than those of str.split: a no-break space or a line separator may be part of a word
_UNBROKEN = re.compile(f"[^{_BLANKS}]+")
_LINE_END = re.compile(r"\r*\n|\r")
_HEADINGS = {"token", "tokens", "word", "words", "form", "text"}
_EXTRA_ID = re.compile(r"\d+[-.]\d+")
"""CoNLL-U: 1-2 is a written word made of the words 1 and 2; 1.1 is a word that the text leaves out."""
_CONLLU_COLUMNS, _UPOS = 10, 3


class Token(NamedTuple):
    """A word, its tag, and the line of the file that holds the tag."""

    word: str
    tag: str
    line: int


@dataclass(frozen=True)
class TaggedFile:
    """Sentences of one file; `path` is the file that holds the tags."""

    path: Path
    sentences: tuple[tuple[Token, ...], ...]

    def tags(self) -> list[str]:
        """Return all tags in order."""
        return [token.tag for sentence in self.sentences for token in sentence]


@dataclass(frozen=True)
class Columns:
    """The columns of the word and of its tag; `numbered` where the first column counts the words of a sentence."""

    token: int
    tag: int
    numbered: bool = False
    note: str = ""


class _Row(NamedTuple):
    line: int
    columns: list[str]
    begins_with_hash: bool
    tabs: bool


_Sentence = list[_Row]


def wrong(path: Path, line: int, expected: str, found: str, fix: str) -> InputError:
    """Return the error about one line of a file."""
    return InputError(f"{path}:{line}: expected {expected}; found {found}; {fix}")


def quote(text: str) -> str:
    """Return a text in quotes, its end left out where it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


@dataclass(frozen=True)
class ColumnFile:
    """The lines of a file of columns: those between blank lines and document lines together, comments among them."""

    path: Path
    sentences: list[_Sentence]

    @classmethod
    def open(cls, path: Path) -> ColumnFile:
        """Read all lines of a file."""
        groups = groupby(_rows(path), lambda row: bool(row.columns))
        return cls(path, [list(rows) for filled, rows in groups if filled])

    @cached_property
    def sure_words(self) -> list[_Row]:
        """The lines that are no comment for sure, as they do not begin with #, without a line of headings."""
        rows = [row for sentence in self.sentences for row in sentence]
        rows = [row for row in rows if not row.begins_with_hash] or rows
        return rows[1:] if rows and rows[0].line == self.headings[0] else rows

    @cached_property
    def headings(self) -> tuple[int, int]:
        """The number of the line that names the columns, and the column of words; 0 and 0 where there is none.

        It is the first line, where one of its columns is called a word and no column occurs again.
        """
        rows = [row for sentence in self.sentences for row in sentence if not row.begins_with_hash]
        cells = rows[0].columns if len(rows) > 1 else []
        named = [column for column, cell in enumerate(cells) if cell.lower() in _HEADINGS]
        if not named or any(cell == "O" or parse_tag(cell) for cell in cells):
            return 0, 0
        again = any(cell in row.columns[column : column + 1] for row in rows[1:] for column, cell in enumerate(cells))
        return (0, 0) if again else (rows[0].line, named[0])

    @cached_property
    def width(self) -> int:
        """The number of columns that most lines have, without empty ones at their end."""
        if not self.sure_words:
            raise no_sentence(self.path)
        return Counter(len(_trim(row.columns, 1)) for row in self.sure_words).most_common(1)[0][0]

    def choose_columns(self, token: int | None, tag: int | None) -> Columns:
        """Return the columns to read; a column that is given stays as it is.

        The word is in column 0, or in column 1 after a column that counts the words. The tag is in the last column, else in
        the first one that holds tags of a scheme; in CoNLL-U it is the part of speech.
        """
        numbered = token is None and self.width > 2 and self._counts_words()
        token_column = (self.headings[1] or int(numbered)) if token is None else token
        if tag is not None:
            return Columns(token_column, tag, numbered)
        if numbered and self.width == _CONLLU_COLUMNS:
            note = f"the files are CoNLL-U: the tag is the part of speech in column {_UPOS}; choose another with tag_column="
            return Columns(token_column, _UPOS, numbered, note)
        rows = [cells for row in self.sure_words if len(cells := _trim(row.columns, self.width)) == self.width]
        words = {0, token_column} if numbered or self.headings[1] else set() if token is None else {token % self.width}
        in_column = {column: Counter(cells[column] for cells in rows) for column in set(range(self.width)) - words}
        tagged = {column: types(tags) for column, tags in in_column.items() if len(tags) > 1 and has_scheme(tags)}
        if not tagged:
            return Columns(token_column, -1, numbered)
        preferred = self.width - 1 if self.width - 1 in tagged else min(tagged)
        # Of columns with the same types, such as outer and nested entities, the fullest one is the plain annotation.
        alike = [column for column in sorted(tagged) if tagged[column] & tagged[preferred]] or [preferred]
        chosen = min(alike, key=lambda column: in_column[column]["O"])
        others = [str(column) for column in alike if column != chosen]
        if chosen == self.width - 1 and not others:
            return Columns(token_column, -1, numbered)
        note = f"the tags are those of column {chosen} of {self.width}, counted from 0"
        note += f"; tags of the same types are in {' and '.join(others)}" if others else ""
        token_column = 1 if token is None and chosen == 0 else token_column
        return Columns(token_column, chosen, numbered, f"{note}; choose others with tag_column=")

    def read(self, columns: Columns) -> TaggedFile:
        """Return the words and tags, without comments, without a line of headings, and without the extra words of CoNLL-U."""
        width = self.width
        head = next(row for row in self.sure_words if len(_trim(row.columns, width)) == width)
        _check_columns(self.path, head.line, _trim(head.columns, width), columns)
        known = {row.columns[columns.tag] for row in self.sure_words if len(row.columns) == width}
        for sentence in self.sentences:
            if any(row.begins_with_hash for row in sentence):
                sure = [_trim(row.columns, width) for row in self._find_words(sentence, set(), columns)]
                known |= {cells[columns.tag] for cells in sure if len(cells) == width}
        sentences = []
        for sentence in self.sentences:
            tokens = []
            for row in self._find_words(sentence, known, columns):
                cells = _trim(row.columns, width)
                if len(cells) != width:
                    fix = "correct the line; a word with a blank inside needs tabs between columns"
                    if self.path.suffix.lower() == ".csv":
                        fix = "separate columns by tabs, not by commas, with a blank line between sentences"
                    expected = f"{width} columns as on line {head.line}"
                    raise wrong(self.path, row.line, expected, f"{len(cells)} columns", fix)
                if not (columns.numbered and _EXTRA_ID.fullmatch(cells[0])):
                    tokens.append(Token(cells[columns.token], cells[columns.tag], row.line))
            sentences.append(tuple(tokens))
        if not any(sentences):
            raise no_sentence(self.path)
        return TaggedFile(self.path, tuple(filter(None, sentences)))

    def describe_columns(self, line: int) -> str:
        """Return the numbers and contents of a line's columns, to choose from."""
        return _list_columns(next(row.columns for sentence in self.sentences for row in sentence if row.line == line))

    def _counts_words(self) -> bool:
        """Return whether the first column counts the words of every sentence, from 0 or 1."""
        longest = 0
        for sentence in self.sentences:
            ids = [row.columns[0] for row in sentence if not row.begins_with_hash]
            numbers = [word_id for word_id in ids if not _EXTRA_ID.fullmatch(word_id)]
            first = 0 if numbers[:1] == ["0"] else 1
            if numbers != [str(number) for number in range(first, first + len(numbers))]:
                return False
            longest = max(longest, len(numbers))
        return longest > 1

    def _find_words(self, sentence: _Sentence, known: set[str], columns: Columns) -> Iterator[_Row]:
        """Yield the lines that are words and not comments; `known` are the tags of lines that are words for sure.

        A line that begins with # is a word, such as a hashtag, where it has the columns of the others and follows a word, or
        has a tag that others have or that marks an entity. Comments have other columns, or stand before a sentence.
        """
        follows_word = False
        for row in sentence:
            if row.line == self.headings[0]:
                continue
            if row.begins_with_hash:
                cells = _trim(row.columns, self.width)
                if columns.numbered or len(cells) != self.width:
                    continue
                tag = cells[columns.tag]
                if not ((follows_word and row.tabs == self._tabs) or tag in known or tag == "O" or parse_tag(tag)):
                    continue
            follows_word = True
            yield row

    @cached_property
    def _tabs(self) -> bool:
        """Whether tabs separate the columns."""
        return sum(row.tabs for row in self.sure_words) * 2 > len(self.sure_words)


def read_pair(path: Path) -> TaggedFile:
    """Read a file of sentences, `path`, and the file `.labels` next to it, one sentence per line."""
    labels = path.with_suffix(".labels")
    sentences = []
    for number, (words, tags) in enumerate(zip_longest(_sentence_lines(path), _sentence_lines(labels)), 1):
        if words is None or tags is None:
            longer, shorter = (path, labels) if tags is None else (labels, path)
            expected, found = f"a sentence, as in {longer.name}", "the end of the file"
            raise wrong(shorter, number, expected, found, "give both files the same number of lines")
        if len(words) != len(tags):
            expected = f"{len(words)} labels, one for each word of {path.name}:{number}"
            raise wrong(labels, number, expected, f"{len(tags)}", "correct the line; blanks separate words and labels")
        if words:
            sentences.append(tuple(Token(word, tag, number) for word, tag in zip(words, tags, strict=True)))
    if not sentences:
        raise no_sentence(path)
    return TaggedFile(labels, tuple(sentences))


def no_sentence(path: Path) -> InputError:
    """Return the error about a file without a sentence."""
    return wrong(path, 1, "at least one sentence", "none in the whole file", "add sentences, or remove the file")


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; only \\n, \\r\\n and \\r end a line, since words may hold other separators of Unicode."""
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except FileNotFoundError:
        raise InputError(f"{path}: expected this file; found nothing; add it") from None
    except OSError as error:
        raise InputError(f"{path}: expected a readable file; found: {error.strerror}; change its permissions") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(path, content, error.start) from None
    return _LINE_END.split(text)


def _not_utf8(path: Path, content: bytes, at: int) -> InputError:
    line, byte = content.count(b"\n", 0, at) + 1, at - content.rfind(b"\n", 0, at)
    found = f"the byte 0x{content[at]:02x} at byte {byte} of the line"
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    command = f"iconv -f {'utf-16' if wide else 'latin1'} -t utf-8"
    return wrong(path, line, "UTF-8 text", found, f"save the file as UTF-8, for example with {command}")


def _split_blanks(line: str) -> list[str]:
    """Return the words between blanks.

    >>> _split_blanks(" New\\u00a0York  B-LOC\\r")
    ['New\\xa0York', 'B-LOC']
    """
    # The blanks of str.split are more, but not among characters that can be printed.
    return line.split() if line.isascii() and line.isprintable() else _UNBROKEN.findall(line)


def _rows(path: Path) -> Iterator[_Row]:
    """Yield every line; no columns where a sentence ends."""
    for number, line in enumerate(_lines(path), 1):
        tabs = "\t" in line
        if not line.strip():
            columns = []
        elif tabs:
            columns = [column.strip(_BLANKS) for column in line.split("\t")]
        else:
            columns = _split_blanks(line)
        if line.startswith("-DOCSTART-") or "-DOCSTART-" in columns:
            columns = []
        yield _Row(number, columns, line.startswith("#"), tabs)


def _trim(columns: list[str], width: int) -> list[str]:
    """Return the columns without empty ones beyond the width, which tabs at the end of a line make."""
    while len(columns) > width and not columns[-1]:
        columns = columns[:-1]
    return columns


def _check_columns(path: Path, line: int, head: list[str], columns: Columns) -> None:
    for option, column in {"token_column": columns.token, "tag_column": columns.tag}.items():
        if not -len(head) <= column < len(head):
            fix = f"give another {option}: {_list_columns(head)}"
            raise wrong(path, line, f"a column {column} ({option})", f"{len(head)} columns", fix)
    if columns.token % len(head) == columns.tag % len(head):
        fix = f"give another token_column or tag_column: {_list_columns(head)}"
        if len(head) == 1:
            fix = f"separate the word from its tag by a tab or a blank, not by a comma: the line is {quote(head[0])}"
        raise wrong(path, line, "a column of words and another of tags", f"column {columns.token} for both", fix)


def _list_columns(columns: list[str]) -> str:
    """Return the numbers and contents of a line's columns, to choose from.

    >>> _list_columns(["EU", "NNP", "B-ORG"])
    "0 is 'EU', 1 is 'NNP', 2 is 'B-ORG'"
    """
    return ", ".join(f"{number} is {quote(column)}" for number, column in enumerate(columns))


def _sentence_lines(path: Path) -> list[list[str]]:
    lines = [_split_blanks(line) for line in _lines(path)]
    while lines and not lines[-1]:
        lines.pop()
    return lines
