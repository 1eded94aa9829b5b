"""Corpora in a directory of tagged files: one word and its tag per line, a blank line between sentences."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from bench.errors import InputError
from bench.tasks.column_files import ColumnFile, TaggedFile, Token, quote, read_pair, wrong
from bench.tasks.corpus import PARTS, Corpus, Sentences
from bench.tasks.part_files import find_part_files
from bench.tasks.tag_schemes import (
    BIO,
    Letters,
    Reading,
    Scheme,
    Span,
    find_entities,
    find_letters,
    find_outside,
    has_scheme,
    is_bare,
    is_misspelt,
    list_tags,
    parse_tag,
    read_as,
    recognise,
)

LONG_SENTENCE = 1000
"""Words of a sentence from which a note asks whether blank lines are missing."""
MOST_CLASSES = 500
"""Different tags up to which a column without a scheme is taken for one of tags; the largest tag sets in use have fewer."""


def read_corpus(
    directory: Path,
    *,
    name: str | None = None,
    token_column: int | None = None,
    tag_column: int | None = None,
    scheme: Scheme | None = "auto",
) -> Corpus:
    """Read the parts train, valid and test of a directory, each from one file, with their entities in BIO.

    A part is a file of columns, or `train.words` next to `train.labels` with one sentence per line; `find_part_files` says which
    names are known. A directory with one data file is split in blocks of 70, 15 and 15%; without a file for valid it is the last
    15% of train. Equal sentences stay in one part.

    The scheme is recognised by the tags ("auto"), or given; None takes the tags for classes of single words, without entities.
    Tags that break the scheme are corrected as conlleval reads them. Comments, headings and `-DOCSTART-` lines are skipped. The
    corpus has a note on whatever was recognised, converted, corrected or split.

    Raises an InputError that names the file, the line and how to fix it, for anything that cannot be read.

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
    return read_part_files(
        find_part_files(directory),
        name or directory.resolve().name,
        token_column=token_column,
        tag_column=tag_column,
        scheme=scheme,
    )


def read_part_files(
    files: Mapping[str, Path],
    name: str,
    *,
    token_column: int | None = None,
    tag_column: int | None = None,
    scheme: Scheme | None = "auto",
) -> Corpus:
    """Read the files of the parts train, valid and test, as `read_corpus` does; valid, test or both may have none."""
    texts, columns, notes = _read_texts(list(files.values()), token_column, tag_column)
    parts = dict(zip(files, texts, strict=True))
    return build_corpus(parts, name, scheme=scheme, notes=notes, files_of_columns=columns)


def build_corpus(
    parts: Mapping[str, TaggedFile],
    name: str,
    *,
    scheme: Scheme | None = "auto",
    notes: Sequence[str] = (),
    files_of_columns: Mapping[Path, ColumnFile] | None = None,
) -> Corpus:
    """Return the corpus of the parts train, valid and test, with its entities in BIO, as `read_corpus` does.

    Parts that are missing are split off train. Errors show the columns of the lines in `files_of_columns`.
    """
    if scheme is not None and scheme not in get_args(Scheme):
        raise InputError(f"scheme must be one of {', '.join(get_args(Scheme))}, or none; given: {scheme!r}")
    notes = list(notes)
    texts, entities, scheme_notes = _read_scheme(list(parts.values()), files_of_columns or {}, scheme)
    notes += scheme_notes
    notes += _note_long_sentence(texts)
    if empty := sum(not token.word for text in texts for sentence in text.sentences for token in sentence):
        notes.append(f"{empty:,} words are empty in the files and were kept")
    read = dict(zip(parts, texts, strict=True))
    if missing := [part for part in PARTS if part not in read]:
        one = len(missing) == 1
        shares = (85, 15) if one else (70, 15, 15)
        split = _split(
            read["train"], shares, f"a file for {missing[0]}" if one else "train, valid and test as three files"
        )
        read |= dict(zip(("train", *missing), split, strict=True))
        notes.append(
            f"{parts['train'].path.name} was split in contiguous blocks of {'/'.join(map(str, shares))}% of its sentences"
            f"{f', the last for {missing[0]}, which has no file' if one else ''}; equal sentences stay together"
        )
    return Corpus(
        name,
        train=_sentences(read["train"]),
        valid=_sentences(read["valid"]),
        test=_sentences(read["test"]),
        notes=tuple(notes),
        entities=entities,
    )


def _read_texts(
    paths: list[Path], token_column: int | None, tag_column: int | None
) -> tuple[list[TaggedFile], dict[Path, ColumnFile], list[str]]:
    """Return the sentences of every file, with the columns that suit the first one, and a note on these."""
    files = {path: ColumnFile.open(path) for path in paths if path.suffix != ".words"}
    columns = next((file.choose_columns(token_column, tag_column) for file in files.values()), None)
    texts = [files[path].read(columns) if path in files and columns else read_pair(path) for path in paths]
    return texts, files, [columns.note] if columns and columns.note else []


def _read_scheme(
    texts: list[TaggedFile], files: Mapping[Path, ColumnFile], scheme: Scheme | None
) -> tuple[list[TaggedFile], bool, list[str]]:
    """Return the texts with their entities in BIO, whether there are any to find, and notes on what was done."""
    tags = Counter(tag for text in texts for tag in text.tags())
    if scheme is None or (scheme == "auto" and not has_scheme(tags)):
        _refuse_no_tags(texts, files, tags, scheme)
        why = "have no scheme such as BIO: they" if scheme else "were asked for without a scheme: they"
        note = f"the {len(tags):,} different tags {why} are classes of single words, without entities"
        if "O" in tags and scheme:
            note += "; if neighbours of one tag are an entity, give scheme=io"
        return texts, False, [note]
    letters = None if scheme == "auto" else find_letters(scheme)
    marks = _parse_tags(texts, files, tags, letters)
    given = [[_write_mark(marks[token.tag]) for token in sentence] for _, sentence in _all(texts)]
    found = [list(find_entities([marks[token.tag] for token in sentence])) for _, sentence in _all(texts)]
    reading = recognise(given, found) if letters is None else read_as(letters, given, found)
    notes = _note_slips(texts, given, reading, found, asked=letters is not None)
    if reading.letters is BIO:
        as_given = not reading.slips and all(_write_mark(mark) == tag for tag, mark in marks.items())
        return texts if as_given else _replace_tags(texts, reading.tags), True, notes
    converted = _replace_tags(texts, read_as(BIO, given, found).tags)
    old, new = ([tag for text in side for tag in text.tags()] for side in (texts, converted))
    changed = sum(before != after for before, after in zip(old, new, strict=True))
    note = f"{changed:,} of {len(old):,} tags were converted from {reading.letters.name} to BIO"
    if reading.letters.name == "IO":
        note += ", neighbours of one type being one entity"
    asked = "" if letters else "; the scheme was recognised by the tags"
    return converted, True, [note + asked, *notes]


def _all(texts: list[TaggedFile]) -> list[tuple[TaggedFile, tuple[Token, ...]]]:
    return [(text, sentence) for text in texts for sentence in text.sentences]


def _replace_tags(texts: list[TaggedFile], tags: list[list[str]]) -> list[TaggedFile]:
    """Return the texts with the tags of all their sentences one after another."""
    new = iter(tags)
    return [
        TaggedFile(
            text.path,
            tuple(
                tuple(token._replace(tag=tag) for token, tag in zip(sentence, next(new), strict=True))
                for sentence in text.sentences
            ),
        )
        for text in texts
    ]


def _parse_tags(
    texts: list[TaggedFile], files: Mapping[Path, ColumnFile], tags: Counter[str], letters: Letters | None
) -> dict[str, tuple[str, str] | None]:
    """Return the letter and type of every tag, None for O; an InputError for the first tag that is none of the scheme."""
    bare = is_bare(tags)
    marks = {tag: parse_tag(tag, bare=bare) for tag in tags}
    if letters is not None and letters.name == "IO":  # may be written without the letter, which is the same for all
        marks = {tag: mark or ("I", tag) for tag, mark in marks.items() if mark or tag not in ("", "O")}
    marks = {tag: mark for tag, mark in marks.items() if mark and (letters is None or mark[0] in letters.allowed())}
    if unknown := set(tags) - {"O", *marks}:
        text, token = next(
            (text, token) for text, sentence in _all(texts) for token in sentence if token.tag in unknown
        )
        fix = "write one tag of a scheme for each word"
        if text.path in files:
            fix = f"correct the tag or give another tag_column: {files[text.path].describe_columns(token.line)}"
        raise wrong(text.path, token.line, list_tags(letters or BIO, bare=bare), quote(token.tag), fix)
    return {"O": None, **marks}


def _write_mark(mark: tuple[str, str] | None) -> str:
    return "O" if mark is None else "-".join(filter(None, mark))


def _note_slips(
    texts: list[TaggedFile], given: list[list[str]], reading: Reading, entities: list[list[Span]], *, asked: bool
) -> list[str]:
    """Return a note on the tags that break the scheme; an InputError where most tags break the scheme that was asked for."""
    if not reading.slips:
        return []
    text, token, right = next(
        (text, token, right)
        for (text, sentence), old, new in zip(_all(texts), given, reading.tags, strict=True)
        for token, wrote, right in zip(sentence, old, new, strict=True)
        if wrote != right
    )
    name, marked = reading.letters.name, sum(tag != "O" for tags in given for tag in tags)
    if asked and reading.slips * 2 > marked:
        fix = f"give scheme={recognise(given, entities).letters.name.lower()}, which fits best, or correct the tags"
        found = f"{token.tag} ({quote(token.word)}), and {reading.slips:,} of {marked:,} tags like it"
        raise wrong(text.path, token.line, f"{right}, by {name}", found, fix)
    place = f"{text.path.name}:{token.line}"
    return [
        f"{reading.slips:,} of {marked:,} tags of entities break {name} and were corrected, the first at {place}: "
        f"{token.tag} of {quote(token.word)} is read as {right}"
    ]


def _refuse_no_tags(
    texts: list[TaggedFile], files: Mapping[Path, ColumnFile], tags: Counter[str], scheme: Scheme | None
) -> None:
    """Raise an InputError where a word has no tag or, unless classes were asked for, where the tags are rather something else."""
    text, token = next((text, token) for text, sentence in _all(texts) for token in sentence if token.tag or "" in tags)
    if "" in tags:
        text, token = next((text, token) for text, sentence in _all(texts) for token in sentence if not token.tag)
    columns = f": {files[text.path].describe_columns(token.line)}" if text.path in files else ""
    if not token.tag:
        raise wrong(text.path, token.line, "a tag", "''", f"correct the line or give another tag_column{columns}")
    if scheme is None:
        return
    found, fix = quote(token.tag), "or give scheme=none, to take the tags for classes"
    if (outside := find_outside(tags)) is not None:
        text, token = next(
            (text, token) for text, sentence in _all(texts) for token in sentence if token.tag == outside
        )
        raise wrong(text.path, token.line, "the tag O outside of entities", quote(outside), f"write O there, {fix}")
    if is_misspelt(tags):
        raise wrong(
            text.path, token.line, "tags such as B-PER", found, f"write the letter first and in capitals, {fix}"
        )
    if tags["*"] and any("(" in tag for tag in tags):
        raise wrong(
            text.path, token.line, "tags such as B-PER", f"{found}, spans in brackets", f"convert them to BIO, {fix}"
        )
    if len(tags) > MOST_CLASSES:
        expected, found = f"a tag, one of at most {MOST_CLASSES}", f"{len(tags):,} different ones"
        raise wrong(text.path, token.line, expected, found, f"give another tag_column{columns}; {fix}")


def _note_long_sentence(texts: list[TaggedFile]) -> list[str]:
    text, sentence = max(_all(texts), key=lambda place: len(place[1]))
    if len(sentence) <= LONG_SENTENCE:
        return []
    place = f"{text.path.name}:{sentence[0].line}"
    return [f"the longest sentence, at {place}, has {len(sentence):,} words: blank lines separate sentences"]


def _split(text: TaggedFile, shares: tuple[int, ...], fix: str) -> list[TaggedFile]:
    """Split in contiguous blocks, but for sentences that occurred before: they go where the first of them is."""
    total = len(text.sentences)
    ends = [total * sum(shares[: place + 1]) // 100 for place in range(len(shares))]
    parts: list[list[tuple[Token, ...]]] = [[] for _ in shares]
    first_places: dict[tuple[str, ...], int] = {}
    for number, sentence in enumerate(text.sentences):
        words = tuple(token.word for token in sentence)
        parts[bisect_right(ends, first_places.setdefault(words, number))].append(sentence)
    if not all(parts):
        expected = f"at least {len(shares) + 1} different sentences to split {'/'.join(map(str, shares))}"
        found = f"{len(first_places)} in the whole file"
        raise wrong(text.path, 1, expected, found, f"add sentences, or give {fix}")
    return [TaggedFile(text.path, tuple(part)) for part in parts]


def _sentences(text: TaggedFile) -> Sentences:
    return Sentences(
        words=tuple(tuple(token.word for token in sentence) for sentence in text.sentences),
        tags=tuple(tuple(token.tag for token in sentence) for sentence in text.sentences),
    )
