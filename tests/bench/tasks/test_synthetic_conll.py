"""The synthetic corpus: exact sizes and counts, and statistics near those measured on CoNLL-2003, English."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import InputError
from bench.tasks.corpus import PARTS, Corpus, Sentences
from bench.tasks.synthetic_conll import LEXICONS, PART_SIZES, TAG_COUNTS, TAGS, _apportion, _spell, synthesise


@pytest.fixture(scope="module")
def full() -> Corpus:
    return synthesise()


def tokens(part: Sentences) -> list[tuple[str, str]]:
    return list(zip(chain(*part.words), chain(*part.tags), strict=True))


def tag_counts(part: Sentences) -> Counter[str]:
    return Counter(chain(*part.tags))


def steps(part: Sentences) -> Iterator[tuple[str, str]]:
    for tags in part.tags:
        yield from zip(("start", *tags), (*tags, "end"), strict=True)


def transitions(part: Sentences) -> dict[str, Counter[str]]:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for before, after in steps(part):
        table[before][after] += 1
    return table


def span_lengths(part: Sentences) -> dict[str, Counter[int]]:
    lengths: dict[str, Counter[int]] = defaultdict(Counter)
    for tags in part.tags:
        run = 0
        for tag, after in zip(tags, (*tags[1:], "O"), strict=True):
            run = run + 1 if tag != "O" else 0
            if run and not after.startswith("I-"):
                lengths[tag[2:]][run] += 1
                run = 0
    return lengths


def most_frequent_tags(part: Sentences) -> dict[str, str]:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for word, tag in tokens(part):
        seen[word][tag] += 1
    return {word: counts.most_common(1)[0][0] for word, counts in seen.items()}


def accuracy_and_macro_f1(pairs: list[tuple[str, str]]) -> tuple[float, float]:
    hits = Counter(gold for gold, guess in pairs if gold == guess)
    golds, guesses = Counter(gold for gold, _ in pairs), Counter(guess for _, guess in pairs)
    return hits.total() / len(pairs), sum(2 * hits[tag] / (golds[tag] + guesses[tag]) for tag in TAGS) / len(TAGS)


# --- exact ---


def test_full_size_has_the_sizes_and_tag_counts_of_the_original(full: Corpus) -> None:
    assert full.name == "synthetic-conll"
    assert full.notes
    for name, (sentences, size) in PART_SIZES.items():
        part = getattr(full, name)
        assert (len(part), len(tokens(part))) == (sentences, size)
    assert (len(full.train), len(tokens(full.train))) == (14_041, 203_621)
    assert tag_counts(full.train) == {
        **{"O": 169_578, "B-LOC": 7_140, "B-PER": 6_600, "B-ORG": 6_321, "B-MISC": 3_438},
        **{"I-PER": 4_528, "I-ORG": 3_704, "I-LOC": 1_157, "I-MISC": 1_155},
    }


@pytest.mark.parametrize("name", ["valid", "test"])
def test_valid_and_test_have_the_tag_proportions_of_train_to_the_token(full: Corpus, name: str) -> None:
    part = getattr(full, name)
    counts, size = tag_counts(part), len(tokens(part))
    assert all(abs(counts[tag] - n * size / 203_621) < 1 for tag, n in TAG_COUNTS.items())


@pytest.mark.parametrize("scale", [0.1, 0.37, 1.7])
def test_sizes_and_tag_counts_scale(scale: float) -> None:
    train = synthesise(scale).train
    counts = tag_counts(train)
    assert len(train) == round(14_041 * scale)
    assert all(abs(counts[tag] - n * scale) <= 1 + n / 14_041 for tag, n in TAG_COUNTS.items())


@pytest.mark.parametrize("scale", [1e-9, 0.001, 0.01])
def test_small_parts_keep_every_tag(scale: float) -> None:
    corpus = synthesise(scale)
    for name in PARTS:
        part = getattr(corpus, name)
        assert len(part) >= 30
        assert min(tag_counts(part)[tag] for tag in TAGS) >= 3


@settings(max_examples=40, deadline=None)
@given(scale=st.floats(1e-6, 0.05), seed=st.integers(0, 2**32))
def test_tags_are_valid_bio_and_no_sentence_is_empty(scale: float, seed: int) -> None:
    corpus = synthesise(scale, seed)
    for name in PARTS:
        part = getattr(corpus, name)
        assert set(tag_counts(part)) == set(TAGS)
        assert all(len(words) == len(tags) > 0 for words, tags in zip(part.words, part.tags, strict=True))
        assert all(before[1:] == after[1:] and before != "O" for before, after in steps(part) if after[0] == "I")


def test_tags_are_valid_bio_at_full_size(full: Corpus) -> None:
    for name in PARTS:
        assert all(before[1:] == after[1:] for before, after in steps(getattr(full, name)) if after[0] == "I")


def test_equal_arguments_give_equal_corpora_and_other_seeds_others() -> None:
    prints = [synthesise(0.02, seed).fingerprint() for seed in (3, 3, 4)]
    assert prints[0] == prints[1] != prints[2]


def test_the_global_generator_is_not_used() -> None:
    np.random.seed(1)  # noqa: NPY002
    first = synthesise(0.01).fingerprint()
    untouched = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.random.random() == untouched  # noqa: NPY002
    assert synthesise(0.01).fingerprint() == first


@pytest.mark.parametrize("scale", [0, -1, 10.5, math.inf, math.nan])
def test_an_invalid_scale_is_refused_with_what_is_allowed(scale: float) -> None:
    with pytest.raises(InputError, match=rf"^synthetic-conll: scale must be above 0 and at most 10; given: {scale:g}"):
        synthesise(scale)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed must be 0 or more; given: -1"):
        synthesise(0.01, seed=-1)


@given(total=st.integers(300, 10**6), weights=st.lists(st.floats(0.01, 1), min_size=1, max_size=9))
def test_apportioned_numbers_sum_to_the_total(total: int, weights: list[float]) -> None:
    parts = _apportion(total, weights, least=3)
    assert parts.sum() == total
    assert parts.min() >= 3


def test_every_word_has_its_own_spelling() -> None:
    words = 2 * sum(row[0] for row in LEXICONS.values())
    assert len(set(_spell(np.arange(words)))) == words


# --- near ---


def test_sentence_lengths_are_near(full: Corpus) -> None:
    lengths = np.array([len(words) for words in full.train.words])
    assert lengths.mean() == pytest.approx(14.5, abs=0.01)
    assert lengths.std() == pytest.approx(11.6, abs=0.2)
    quantiles = np.percentile(lengths, [1, 5, 10, 25, 50, 75, 90, 95, 99, 100])
    assert quantiles == pytest.approx([1, 2, 3, 6, 10, 22, 32, 37, 46, 113], abs=1, rel=0.05)
    shares = np.bincount(lengths) / len(lengths)
    assert shares[2] > shares[1] + shares[3]  # the spike
    assert shares[7:10].min() > shares[11:16].mean() > shares[26:].max()  # the peak, the plateau


def test_spans_are_near(full: Corpus) -> None:
    empty = sum(set(tags) == {"O"} for tags in full.train.tags) / len(full.train)
    assert empty == pytest.approx(0.207, abs=0.015)
    lengths = span_lengths(full.train)
    for name, shares in {
        "LOC": [0.854, 0.135, 0.008],
        "PER": [0.351, 0.617, 0.028],
        "ORG": [0.607, 0.270, 0.080],
        "MISC": [0.750, 0.187, 0.044],
    }.items():
        assert [lengths[name][n] / lengths[name].total() for n in (1, 2, 3)] == pytest.approx(shares, abs=0.001)


def test_transitions_are_near(full: Corpus) -> None:
    columns = ("O", "B-LOC", "B-PER", "B-ORG", "B-MISC", "end")
    targets = {
        "start": ([0.5807, 0.1126, 0.0961, 0.1749, 0.0358, 0], 0.001),
        "O": ([0.8190, 0.0326, 0.0306, 0.0224, 0.0169, 0.0786], 0.005),
        "B-LOC": ([0.8324, 0.0011, 0.0001, 0.0014, 0.0038, 0.0154], 0.015),
        "B-PER": ([0.3405, 0.0005, 0, 0, 0.0002, 0.0099], 0.015),
        "B-ORG": ([0.5861, 0.0002, 0.0005, 0.0029, 0.0010, 0.0163], 0.015),
        "B-MISC": ([0.7059, 0.0023, 0.0169, 0.0093, 0.0090, 0.0070], 0.025),
        "I-LOC": ([0.8505, 0.0026, 0, 0.0009, 0.0026, 0.0432], 0.035),
        "I-PER": ([0.9070, 0, 0, 0, 0, 0.0391], 0.035),
        "I-ORG": ([0.6480, 0.0003, 0.0008, 0.0016, 0.0008, 0.0194], 0.02),
        "I-MISC": ([0.6277, 0.0017, 0.0026, 0.0061, 0.0035, 0.1013], 0.11),
    }
    table = transitions(full.train)
    for tag, (shares, tolerance) in targets.items():
        reached = [table[tag][after] / table[tag].total() for after in columns]
        assert reached == pytest.approx(shares, abs=tolerance), tag


def test_word_frequencies_are_near(full: Corpus) -> None:
    counts = np.sort([*Counter(chain(*full.train.words)).values()])[::-1]
    covered = counts.cumsum() / counts.sum()
    assert len(counts) == pytest.approx(23_623, rel=0.03)
    assert covered[[9, 99, 999, 4999]] == pytest.approx([0.216, 0.436, 0.667, 0.853], abs=0.025)
    assert (counts == 1).mean() == pytest.approx(0.49, abs=0.04)


def test_ambiguity_is_near(full: Corpus) -> None:
    counts = Counter(chain(*full.train.words))
    tags: dict[str, set[str]] = defaultdict(set)
    for word, tag in tokens(full.train):
        tags[word].add(tag)
    ambiguous = [word for word in counts if len(tags[word]) > 1]
    assert len(ambiguous) / len(counts) == pytest.approx(0.074, abs=0.02)
    assert sum(counts[word] for word in ambiguous) / counts.total() == pytest.approx(0.347, abs=0.03)


@pytest.mark.parametrize("seed", [0, 1])
def test_unknown_words_and_the_most_frequent_tag_baseline_are_near(seed: int) -> None:
    corpus = synthesise(seed=seed)
    lookup = most_frequent_tags(corpus.train)
    test = tokens(corpus.test)
    unknown = Counter(tag for word, tag in test if word not in lookup)
    counts = tag_counts(corpus.test)
    assert unknown.total() / len(test) == pytest.approx(0.122, abs=0.01)
    assert [unknown[tag] / counts[tag] for tag in ("O", "B-PER", "I-PER")] == pytest.approx(
        [0.08, 0.44, 0.68], abs=0.05
    )
    accuracy, macro_f1 = accuracy_and_macro_f1([(tag, lookup.get(word, "O")) for word, tag in test])
    assert accuracy == pytest.approx(0.912, abs=0.01)
    assert macro_f1 == pytest.approx(0.633, abs=0.03)


def test_context_words_improve_on_the_word_alone(full: Corpus) -> None:
    """Naive Bayes over three words, against the same over one: what a window tagger can live on."""
    seen = [defaultdict[str, Counter[str]](Counter) for _ in range(3)]
    for *words, tag in windows(full.train):
        for table, word in zip(seen, words, strict=True):
            table[tag][word] += 1

    def guess(words: list[str], columns: list[int]) -> str:
        def score(tag: str) -> float:
            n = TAG_COUNTS[tag]
            return math.log(n) + sum(math.log((seen[i][tag][words[i]] + 0.1) / (n + 2_000)) for i in columns)

        return max(TAGS, key=score)

    sample = list(windows(full.test))[:15_000]
    _, alone = accuracy_and_macro_f1([(tag, guess(words, [1])) for *words, tag in sample])
    _, together = accuracy_and_macro_f1([(tag, guess(words, [0, 1, 2])) for *words, tag in sample])
    assert together > alone + 0.03


def windows(part: Sentences) -> Iterator[tuple[str, str, str, str]]:
    for words, tags in zip(part.words, part.tags, strict=True):
        yield from zip(("", *words[:-1]), words, (*words[1:], ""), tags, strict=True)
