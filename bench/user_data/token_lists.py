"""Tables whose rows are sentences: one column holds lists of words, another the list of their tags."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.tasks.column_files import TaggedFile, Token, no_sentence, quote, wrong
from bench.text.numbers import plural

WORDS = ("tokens", "words", "token", "word", "sentence", "text")
TAGS = ("tags", "ner_tags", "labels", "ner", "ner_labels", "entities", "tag", "label", "bio_tags", "iob_tags")
"""Usual names of the columns, the first one preferred."""
_SEPARATORS = re.compile(r"[\t\r\n\v\f]+")


def list_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns that hold a list in every row that holds anything.

    >>> list_columns(pd.DataFrame({"id": [1], "tokens": [["on", "time"]], "tags": [["O", "B-TIME"]]}))
    ['tokens', 'tags']
    """
    return [
        str(name)
        for name in frame
        if frame[name].dtype == object
        and len(filled := frame[name].dropna())
        and all(_is_list(value) for value in filled)
    ]


def choose_columns(frame: pd.DataFrame, place: str, words: str = "", tags: str = "") -> tuple[str, str, list[str]]:
    """Return the columns of words and of tags, and a note if others could be meant; a column that is given stays as it is.

    Raises an InputError that begins with `place` where there is no such column, or nothing that names it.
    """
    lists = list_columns(frame)
    for given, option in ((words, "--text"), (tags, "--target")):
        if given and given not in lists:
            raise InputError(
                f"{place}: no column of lists named {given!r}; its columns of lists: {', '.join(lists) or 'none'}; name one that "
                f"all files have with {option}"
            )
    texts = [name for name in lists if name != tags and _is_text(frame[name])]
    words = words or _named(WORDS, texts) or (texts[0] if len(texts) == 1 else "")
    others = [name for name in lists if name != words]
    tags = tags or _named(TAGS, others) or (others[0] if len(others) == 1 else "")
    if not words or not tags:
        found = ", ".join(lists) or "none"
        raise InputError(
            f"{place}: expected a column of lists of words, such as tokens, and one of lists of tags, such as ner_tags; columns "
            f"of lists: {found}; name two of them with --text and --target"
        )
    left = [name for name in others if name != tags]
    notes = (
        [f"the words are those of {words}, the tags those of {tags}; --target names another: {', '.join(left)}"]
        if left
        else []
    )
    return words, tags, notes


def read_token_lists(
    frame: pd.DataFrame, path: Path, words: str, tags: str, names: Sequence[str] = ()
) -> tuple[TaggedFile, list[str]]:
    """Return the sentences of a table, and notes on what was left out.

    Parameters
    ----------
    frame
        Row i holds lists of equally many words and tags. A row whose lists are empty is left out.
    path
        The file that it was read from; the line of a token is the number of its row there, from 1.
    words, tags
        The columns.
    names
        The names of the tags, where these are whole numbers.

    Raises
    ------
    InputError
        If a list is missing, has another length than its partner, or holds no words or tags.
    """
    sentences, empty, broken = [], 0, 0
    for number, (row_words, row_tags) in enumerate(zip(frame[words], frame[tags], strict=True), 1):
        for column, values in ((words, row_words), (tags, row_tags)):
            if not _is_list(values):
                fix = "give every sentence both lists, or remove the row"
                raise wrong(path, number, f"a list in {column}", quote(repr(values)), fix)
        if len(row_words) != len(row_tags):
            expected = f"one tag for each of the {plural(len(row_words), 'word')} in {words}"
            raise wrong(
                path, number, expected, f"{plural(len(row_tags), 'tag')} in {tags}", "give both the same length"
            )
        broken += sum(isinstance(word, str) and bool(_SEPARATORS.search(word)) for word in row_words)
        empty += not len(row_words)
        tokens = [
            Token(_read_word(word, words, path, number), _read_tag(tag, tags, names, path, number), number)
            for word, tag in zip(row_words, row_tags, strict=True)
        ]
        sentences.append(tuple(tokens))
    if not any(sentences):
        raise no_sentence(path)
    notes = [f"{plural(empty, 'sentence')} of {path.name} without a word left out"] if empty else []
    if broken:
        notes.append(f"tabs and line breaks in {plural(broken, 'word')} of {path.name} are read as blanks")
    return TaggedFile(path, tuple(filter(None, sentences))), notes


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1  # Parquet's lists are arrays


def _is_text(column: pd.Series[Any]) -> bool:
    return any(isinstance(word, str) for words in column.dropna() for word in words[:1])


def _named(usual: Sequence[str], columns: Sequence[str]) -> str:
    lower = {name.lower(): name for name in reversed(columns)}
    return next((lower[name] for name in usual if name in lower), "")


def _read_word(word: Any, column: str, path: Path, row: int) -> str:
    if isinstance(word, str):
        return _SEPARATORS.sub(" ", word)
    if word is None or _is_list(word) or isinstance(word, Mapping) or word != word:
        raise wrong(path, row, f"a word in {column}", quote(repr(word)), "write every word as text")
    return str(word)


def _read_tag(tag: Any, column: str, names: Sequence[str], path: Path, row: int) -> str:
    if isinstance(tag, str):
        return tag.strip()
    whole = isinstance(tag, int) or getattr(getattr(tag, "dtype", None), "kind", "") in ("i", "u")
    if not whole or isinstance(tag, bool):
        raise wrong(path, row, f"a tag in {column}, such as O or B-PER", quote(repr(tag)), "write every tag as text")
    if not names:
        fix = 'write their names, with names = ["O", "B-PER", ...]: [names[tag] for tag in tags]'
        raise wrong(
            path, row, f"tags in {column}, such as O or B-PER", f"the number {tag}, without a list of names", fix
        )
    if not 0 <= tag < len(names):
        raise wrong(
            path, row, f"a tag from 0 to {len(names) - 1} in {column}", str(tag), "correct the tag, or the names"
        )
    return names[int(tag)]
