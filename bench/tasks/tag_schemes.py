"""How tags mark entities: the schemes in use, which one a corpus has, and the same entities in BIO."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

Scheme = Literal[
    "auto", "bio", "iob2", "io", "iob1", "ioe1", "ioe2", "bioes", "iobes", "bilou", "biluo", "bmewo", "bmes"
]
"""The names of schemes; "auto" recognises the scheme by the tags."""


class Letters(NamedTuple):
    """The letters of the words of an entity: its only word, its first, those inside, its last."""

    name: str
    single: str
    first: str
    inside: str
    last: str
    touching_only: bool = False
    """The first or last word has a letter of its own only where another entity of the same type touches it."""

    def allowed(self) -> list[str]:
        """Return the letters, each once."""
        return list(dict.fromkeys((self.first, self.inside, self.last, self.single)))


BIO = Letters("BIO", "B", "B", "I", "I")
RECOGNISED = (
    BIO,
    Letters("IO", "I", "I", "I", "I"),
    Letters("IOB1", "B", "B", "I", "I", touching_only=True),
    Letters("IOE2", "E", "I", "I", "E"),
    Letters("IOE1", "E", "I", "I", "E", touching_only=True),
    Letters("BIOES", "S", "B", "I", "E"),
    Letters("BILOU", "U", "B", "I", "L"),
    Letters("BMEWO", "W", "B", "M", "E"),
    Letters("BMES", "S", "B", "M", "E"),
)
"""The schemes, in the order in which one is chosen where several fit equally well."""
_OTHER_NAMES = {"iob2": "bio", "iobes": "bioes", "biluo": "bilou"}

_ROLES = {"L": "E", "U": "S", "W": "S", "M": "I"}  # letters that other schemes write for the same place in an entity
_TYPED = re.compile(r"([BIESLUMW])[-_](.+)")
_SUFFIXED = re.compile(r"(.+)[-_]([BIES])")
_BARE = frozenset("BIESLUMW")


class Span(NamedTuple):
    """An entity: its words from `start` to before `end`, and its type; the type is empty where tags are letters alone."""

    start: int
    end: int
    type: str


def find_letters(scheme: str) -> Letters:
    """Return the letters of a scheme by its name.

    >>> find_letters("iobes").name
    'BIOES'
    """
    name = _OTHER_NAMES.get(scheme, scheme)
    return next(letters for letters in RECOGNISED if letters.name.lower() == name)


def has_scheme(tags: Counter[str]) -> bool:
    """Return whether most tags besides O mark places in entities, such as B-PER, or B alone.

    >>> has_scheme(Counter(["O", "B-PER", "S-LOC"])), has_scheme(Counter(["B", "I", "O"])), has_scheme(Counter(["NN", "O"]))
    (True, True, False)
    """
    marked = tags.total() - tags["O"] - tags[""]
    return max(_typed(tags), _bare(tags)) * 2 > marked or not marked


def is_bare(tags: Counter[str]) -> bool:
    """Return whether the tags are letters alone: B, I and O."""
    return _bare(tags) > _typed(tags)


def find_outside(tags: Counter[str]) -> str | None:
    """Return the tag that stands where schemes write O, such as `_`, 0 or o; None if O occurs, or other tags have no scheme.

    >>> find_outside(Counter(["B-PER", "_", "_"])), find_outside(Counter(["O", "B-PER", "_"])), find_outside(Counter(["N", "V"]))
    ('_', None, None)
    """
    others = [tag for tag in tags if not _TYPED.fullmatch(tag)]
    return others[0] if len(others) == 1 < len(tags) and others[0] not in ("", "O") else None


def is_misspelt(tags: Counter[str]) -> bool:
    """Return whether tags that have no scheme would have one with the letter first, or in capitals.

    >>> is_misspelt(Counter(["O", "PER-B", "PER-I"])), is_misspelt(Counter(["o", "b-per"])), is_misspelt(Counter(["N-S", "V-S"]))
    (True, True, False)
    """
    letter_first: Counter[str] = Counter()
    capitals: Counter[str] = Counter()
    for tag, count in tags.items():
        letter_first[_SUFFIXED.sub(r"\2-\1", tag)] += count
        capitals[tag.upper()] += count
    has_first_words = any(tag.startswith("B-") for tag in letter_first)
    return (has_first_words and has_scheme(letter_first)) or has_scheme(capitals)


def _typed(tags: Counter[str]) -> int:
    return sum(count for tag, count in tags.items() if _TYPED.fullmatch(tag))


def _bare(tags: Counter[str]) -> int:
    return sum(tags[letter] for letter in _BARE) if tags["B"] or tags["I"] else 0


def parse_tag(tag: str, *, bare: bool = False) -> tuple[str, str] | None:
    """Return the letter and the type of a tag that marks a place in an entity; None for any other.

    >>> parse_tag("I-creative-work"), parse_tag("B", bare=True), parse_tag("NN")
    (('I', 'creative-work'), ('B', ''), None)
    """
    if bare:
        return (tag, "") if tag in _BARE else None
    match = _TYPED.fullmatch(tag)
    return (match[1], match[2]) if match else None


def find_entities(marks: Sequence[tuple[str, str] | None]) -> Iterator[Span]:
    """Yield the entities of a sentence whose words have these letters and types, None outside entities.

    One reading serves all schemes: an entity ends where another type or an O follows, after a letter that ends entities, and
    before one that begins them. Sequences that break their scheme are read as conlleval reads them.

    >>> list(find_entities([("I", "PER"), ("B", "PER"), None, ("S", "LOC")]))
    [Span(start=0, end=1, type='PER'), Span(start=1, end=2, type='PER'), Span(start=3, end=4, type='LOC')]
    """
    start, kind, ended = 0, None, False
    for place, mark in enumerate((*marks, None)):
        role, now = (None, None) if mark is None else (_ROLES.get(mark[0], mark[0]), mark[1])
        if kind is not None and (now != kind or ended or role in ("B", "S")):
            yield Span(start, place, kind)
            kind = None
        if kind is None and now is not None:
            start, kind = place, now
        ended = role in ("E", "S")


def write_entities(entities: Sequence[Span], length: int, letters: Letters) -> list[str]:
    """Return the tags of a sentence of `length` words with these entities, in order.

    >>> write_entities([Span(0, 2, "PER"), Span(3, 4, "")], 4, BIO)
    ['B-PER', 'I-PER', 'O', 'B']
    """
    tags = ["O"] * length
    for number, (start, end, kind) in enumerate(entities):
        places = [letters.first, *[letters.inside] * (end - start - 2), letters.last]
        if end - start == 1:
            places = [letters.single]
        if letters.touching_only:
            before = number > 0 and entities[number - 1][1:] == (start, kind)
            after = number + 1 < len(entities) and (entities[number + 1].start, entities[number + 1].type) == (
                end,
                kind,
            )
            if not before and letters.first != letters.inside:
                places[0] = letters.inside
            if not after and letters.last != letters.inside:
                places[-1] = letters.inside
        tags[start:end] = [f"{letter}-{kind}" if kind else letter for letter in places]
    return tags


class Reading(NamedTuple):
    """The tags of all sentences as a scheme writes the entities found in them, and how many tags differ from those given."""

    letters: Letters
    tags: list[list[str]]
    slips: int


def read_as(letters: Letters, given: Sequence[Sequence[str]], entities: Sequence[Sequence[Span]]) -> Reading:
    """Write the entities of all sentences in one scheme, and count the tags that differ."""
    tags = [write_entities(spans, len(old), letters) for spans, old in zip(entities, given, strict=True)]
    slips = sum(a != b for new, old in zip(tags, given, strict=True) for a, b in zip(new, old, strict=True))
    return Reading(letters, tags, slips)


def recognise(given: Sequence[Sequence[str]], entities: Sequence[Sequence[Span]]) -> Reading:
    """Return the reading in the scheme that fewest tags break."""
    best: Reading | None = None
    for letters in RECOGNISED:
        reading = read_as(letters, given, entities)
        if best is None or reading.slips < best.slips:
            best = reading
        if not reading.slips:
            break
    assert best is not None
    return best


def list_tags(letters: Letters, *, bare: bool) -> str:
    """Return the tags of a scheme in words.

    >>> list_tags(BIO, bare=False)
    'a tag O, B-X or I-X'
    """
    *first, last = ["O", *(letter if bare else f"{letter}-X" for letter in letters.allowed())]
    return f"a tag {', '.join(first)} or {last}"


def types(tags: Iterable[str]) -> set[str]:
    """Return the types of the entities that the tags mark."""
    return {match[2] for tag in tags if (match := _TYPED.fullmatch(tag))}
