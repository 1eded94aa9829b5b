"""A synthetic corpus like CoNLL-2003, generated from a seed: sizes, tags and words follow the English training part.

There are three stages, each with its own table of statistics: sentence lengths; spans placed into the sentences; words
sampled for the tags. Sizes and tag counts are exact, everything else is approximate. Context helps: the words next to a
span hint at its class, which disambiguates words that several tags share and words never seen in training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from operator import itemgetter
from typing import cast

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.errors import InputError
from bench.tasks.corpus import PARTS, Corpus, Sentences

MAX_SCALE = 10.0
MIN_SENTENCES = 30  # the smallest part that has room for MIN_PER_TAG of every tag
MIN_PER_TAG = 3

# All numbers below were measured on the English training part of CoNLL-2003, unless another part is named.

PART_SIZES = {"train": (14_041, 203_621), "valid": (3_250, 51_362), "test": (3_453, 46_435)}  # sentences, tokens
TAG_COUNTS = {
    "O": 169_578,
    "B-LOC": 7_140,
    "B-PER": 6_600,
    "B-ORG": 6_321,
    "B-MISC": 3_438,
    "I-LOC": 1_157,
    "I-PER": 4_528,
    "I-ORG": 3_704,
    "I-MISC": 1_155,
}
TAGS = tuple(TAG_COUNTS)
CLASSES = ("LOC", "PER", "ORG", "MISC")

# Quantiles of sentence length (share of sentences, length); the step at 2 is the datelines and bylines.
LENGTH_SHARES = (0, 0.012, 0.013, 0.093, 0.094, 0.25, 0.50, 0.60, 0.75, 0.90, 0.95, 0.99, 0.999, 1)
LENGTH_VALUES = (1, 1.00, 2.000, 2.000, 3.000, 6.00, 10.0, 13.5, 22.0, 32.0, 37.0, 46.0, 56.00, 113)

SPAN_LENGTHS = {  # shares of spans with 1, 2, 3 and more tokens
    "LOC": (0.854, 0.135, 0.008, 0.003),
    "PER": (0.351, 0.617, 0.028, 0.004),
    "ORG": (0.607, 0.270, 0.080, 0.043),
    "MISC": (0.750, 0.187, 0.044, 0.019),
}
STARTS = {"LOC": 0.1126, "PER": 0.0961, "ORG": 0.1748, "MISC": 0.0358}  # share of sentences that open with such a span
EVENNESS = 0.3  # weight n ** -EVENNESS of a position in a sentence of n tokens; at 0, too many sentences have no span
TOUCHING = 0.1  # the share of positions next to another span or the sentence's end that a span may take: few do

# A tag's own words: how many (a multiple of CUES and LENT), and the Zipf-Mandelbrot law (rank + shift) ** -exponent of
# their frequencies. The law is fitted, over the words that most often have the tag, to the number of types, of types seen
# once, and to the most frequent ones. `new` is the share of the test part's tokens that are words of a later time: names
# change, "the" does not.
LEXICONS = {  # tag: (words, exponent, shift, new)
    "O": (28_000, 1.155, 3.2, 0.04),
    "B-LOC": (2_096, 1.52, 20.2, 0.06),
    "B-PER": (2_736, 0.99, 19.0, 0.34),
    "B-ORG": (1_744, 0.89, 15.6, 0.24),
    "B-MISC": (1_424, 1.79, 30.2, 0.18),
    "I-LOC": (560, 1.69, 5.55, 0.15),
    "I-PER": (4_016, 0.82, 10.3, 0.68),
    "I-ORG": (1_232, 1.10, 14.1, 0.15),
    "I-MISC": (448, 1.57, 4.44, 0.15),
}
# Shares of a tag's tokens whose word belongs to another tag: between the error rate of the most-frequent-tag baseline on
# the training part and its error rate on known words of the test part.
BORROWED = {
    "O": {"B-ORG": 0.0005, "B-MISC": 0.0005, "I-ORG": 0.0015, "I-MISC": 0.0015},
    "B-LOC": {"O": 0.004, "B-ORG": 0.05, "B-MISC": 0.01, "I-LOC": 0.01, "I-ORG": 0.01},
    "B-PER": {"O": 0.006, "B-LOC": 0.012, "B-ORG": 0.012, "I-PER": 0.13},
    "B-ORG": {"O": 0.025, "B-LOC": 0.13, "B-MISC": 0.03, "I-ORG": 0.04},
    "B-MISC": {"O": 0.03, "B-LOC": 0.035, "B-ORG": 0.03, "I-MISC": 0.02},
    "I-LOC": {"O": 0.045, "B-LOC": 0.09, "B-MISC": 0.015, "I-PER": 0.012, "I-ORG": 0.10},
    "I-PER": {"O": 0.02, "B-LOC": 0.02, "B-PER": 0.17, "B-ORG": 0.02},
    "I-ORG": {"O": 0.15, "B-LOC": 0.07, "B-ORG": 0.07, "B-MISC": 0.015, "I-LOC": 0.05},
    "I-MISC": {"O": 0.14, "B-ORG": 0.02, "B-MISC": 0.09, "I-ORG": 0.03},
}
LATENESS = {"train": 0.0, "valid": 0.4, "test": 1.0}  # the share of `new` that has appeared by the time of the part

LENT = 2  # every LENT-th word of a lexicon can be borrowed: "of" is often part of a name, "." never
CUES = 16  # every CUES-th word of O hints at one class: 4 do before its spans, 4 after them, the other 8 at nothing
CUED = 0.75  # share of the O tokens next to a span that hint at it: gives a window tagger about its lead on the real corpus

EDGE = ""  # the cell between two sentences
SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
SCATTER = 104_729  # coprime to the number of spellings, so that multiplying by it only reorders them


def synthesise(scale: float = 1.0, seed: int = 0) -> Corpus:
    """Return a CoNLL-2003-like corpus with `scale` times the sentences, tokens and tags of the original.

    It is the same for the same arguments. A part never has fewer than 30 sentences, nor a tag fewer than 3 tokens in it. The
    words are meaningless, and their spelling is independent of their tags.

    >>> corpus = synthesise(scale=0.01, seed=1)
    >>> len(corpus.train), len(corpus.valid), len(corpus.test)
    (140, 32, 35)
    >>> corpus.fingerprint() == synthesise(scale=0.01, seed=1).fingerprint()
    True
    """
    if not 0 < scale <= MAX_SCALE:
        raise InputError(f"synthetic-conll: scale must be above 0 and at most {MAX_SCALE:g}; given: {scale:g}")
    if seed < 0:
        raise InputError(f"synthetic-conll: seed must be 0 or more; given: {seed}")
    train, valid, test = (_part(part, scale, np.random.default_rng([seed, i])) for i, part in enumerate(PARTS))
    note = f"synthetic: generated from scale {scale:g} and seed {seed}; no text of CoNLL-2003 is in it"
    return Corpus("synthetic-conll", train, valid, test, notes=(note,))


def _part(part: str, scale: float, rng: Generator) -> Sentences:
    sentences, tokens = PART_SIZES[part]
    size = max(MIN_SENTENCES, round(sentences * scale))
    lengths = _sentence_lengths(size, round(tokens * size / sentences), rng)
    starts = np.cumsum(lengths + 1) - lengths  # an edge comes before each sentence
    cells = _tag_cells(lengths, starts, rng)
    words = _spell(_word_ids(np.array(cells), LATENESS[part], rng))
    places = [slice(start, start + length) for start, length in zip(starts, lengths, strict=True)]
    return Sentences(tuple(tuple(words[at]) for at in places), tuple(tuple(cells[at]) for at in places))


def _apportion(total: int, weights: Sequence[float], least: int = 0) -> NDArray[np.int64]:
    """Return whole numbers that sum to `total`, in proportion to the weights by largest remainder, at least `least` each.

    Numbers below `least` are raised at the expense of the largest one.

    >>> _apportion(100, [90, 9.6, 0.4], least=2).tolist()
    [88, 10, 2]
    """
    exact = np.array(weights) / sum(weights) * total
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - whole.sum()]] += 1
    raised = np.maximum(whole, least)
    raised[raised.argmax()] -= raised.sum() - total
    return raised


def _sentence_lengths(sentences: int, tokens: int, rng: Generator) -> NDArray[np.int64]:
    shares = (np.arange(sentences) + 0.5) / sentences
    quantiles = np.interp(shares, LENGTH_SHARES, LENGTH_VALUES)
    lengths = np.maximum(1, np.rint(quantiles * tokens / quantiles.sum())).astype(np.int64)
    while missing := tokens - int(lengths.sum()):
        long = np.flatnonzero(lengths > 3)  # short sentences keep their shares
        lengths[rng.choice(long, min(abs(missing), len(long)), replace=False)] += np.sign(missing)
    return rng.permutation(lengths)


def _tag_cells(lengths: NDArray[np.int64], starts: NDArray[np.int64], rng: Generator) -> list[str]:
    """Return the tags of all sentences in one row, with an edge before and after each."""
    cells = [EDGE]
    for length in lengths.tolist():
        cells += ["O"] * length + [EDGE]
    counts = dict(zip(TAGS, _apportion(int(lengths.sum()), [*TAG_COUNTS.values()], MIN_PER_TAG).tolist(), strict=True))
    opening: list[tuple[int, str]] = []
    inner: list[tuple[int, str]] = []
    for name in CLASSES:
        spans = [(n, name) for n in _span_lengths(counts[f"B-{name}"], counts[f"I-{name}"], SPAN_LENGTHS[name], rng)]
        first = round(len(lengths) * STARTS[name])
        opening += spans[:first]
        inner += spans[first:]
    _place(cells, opening, cycle(rng.permutation(starts).tolist()), rng)
    chances = np.append(0, np.repeat(lengths**-EVENNESS, lengths + 1))  # of the first edge; of a sentence and its edge
    chances[starts] = 0
    _place(cells, inner, _draws(chances / chances.sum(), rng), rng)
    return cells


def _span_lengths(spans: int, inside: int, shares: Sequence[float], rng: Generator) -> list[int]:
    """Return the lengths of `spans` spans with `inside` tokens after their first ones; the longest ones make the sum exact."""
    counts = _apportion(spans, shares)
    lengths = np.repeat([1, 2, 3, 4], counts)
    longest = max(1, int(counts[-1]))
    surplus = spans + inside - int(lengths.sum())
    for _ in range(surplus):
        lengths[-1 - rng.integers(longest)] += 1
    for _ in range(-surplus):
        lengths[lengths.argmax()] -= 1
    return cast("list[int]", rng.permutation(lengths).tolist())


def _draws(chances: NDArray[np.float64], rng: Generator) -> Iterator[int]:
    while True:
        yield from rng.choice(len(chances), size=len(chances), p=chances).tolist()


def _place(cells: list[str], spans: Iterable[tuple[int, str]], places: Iterator[int], rng: Generator) -> None:
    """Write each span over O cells, at the first of the positions that fits; long spans fit least often, so they go first."""
    for length, name in sorted(spans, key=itemgetter(0), reverse=True):
        while True:
            at = next(places)
            fits = cells[at : at + length] == ["O"] * length
            apart = fits and cells[at + length] == "O" and cells[at - 1] in ("O", EDGE)
            if apart or (fits and rng.random() < TOUCHING):
                break
        cells[at : at + length] = [f"B-{name}"] + [f"I-{name}"] * (length - 1)


def _word_ids(cells: NDArray[np.str_], lateness: float, rng: Generator) -> NDArray[np.int64]:
    """Return a word id for each cell: its tag determines a lexicon, and the lexicon's law a word, an early or a late one."""
    lexicons = np.full(len(cells), -1)
    borrowed = np.zeros(len(cells), dtype=bool)
    for own, tag in enumerate(TAGS):
        at = np.flatnonzero(cells == tag)
        lexicons[at] = rng.choice(len(TAGS), size=len(at), p=_lexicon_shares(tag))
        borrowed[at] = lexicons[at] != own
    cues = np.where(rng.random(len(cells)) < CUED, _cues(cells), -1)
    ids = np.zeros(len(cells), dtype=np.int64)
    first = 0
    for lexicon, tag in enumerate(TAGS):
        at = np.flatnonzero(lexicons == lexicon)
        words, exponent, shift, new = LEXICONS[tag]
        frequencies = (np.arange(1, words + 1) + shift) ** -exponent
        ranks = rng.choice(words, size=len(at), p=frequencies / frequencies.sum())
        ranks = np.where(borrowed[at], ranks // LENT * LENT + LENT - 1, ranks)
        ranks = np.where(
            cues[at] >= 0, ranks // CUES * CUES + cues[at], ranks
        )  # near the sampled rank, so that the law is kept
        late = rng.random(len(at)) < new * lateness
        ids[at] = first + ranks + words * late
        first += 2 * words
    return ids


def _lexicon_shares(tag: str) -> list[float]:
    borrowed = BORROWED[tag]
    return [1 - sum(borrowed.values()) if lender == tag else borrowed.get(lender, 0.0) for lender in TAGS]


def _cues(cells: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return what an O cell hints at: the class of the span after it, else 4 more than that of the span before it, else -1.

    >>> _cues(np.array(["", "O", "B-PER", "O", "O", "O", ""])).tolist()
    [-1, 1, -1, 5, -1, -1, -1]
    """
    kinds = np.array([CLASSES.index(cell[2:]) if "-" in cell else -1 for cell in cells.tolist()])
    after, before = np.roll(kinds, -1), np.roll(kinds, 1)
    cues = np.where(after >= 0, after, np.where(before >= 0, before + len(CLASSES), -1))
    return np.where(cells == "O", cues, -1)


def _spell(ids: NDArray[np.int64]) -> list[str]:
    """Return a different word of three syllables for each number."""
    base = len(SYLLABLES)
    scattered = ids * SCATTER % base**3
    digits = zip(*((scattered // base**i % base).tolist() for i in range(3)), strict=True)
    return [SYLLABLES[a] + SYLLABLES[b] + SYLLABLES[c] for a, b, c in digits]
