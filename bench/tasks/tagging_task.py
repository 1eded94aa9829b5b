"""A tagged corpus as a task: windows with one label or with all labels, or whole sentences; and its lookup baseline."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Literal

import torch
from torch import Tensor

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.corpus import Corpus, Sentences
from bench.tasks.part import PAD, UNK, Part, Rows, TaggedSentences
from bench.tasks.task import Task
from bench.text.lines import shorten
from strategies import IGNORED, Labels

Kind = Literal["windows", "windows-tags", "sentences"]
WINDOW = 9
MOST_REPEATS = 0.1
"""Share of held-out sentences that may stand in train without a note. It is at most .06 in CoNLL-2003, .03 in WikiGold, 0 in
WNUT-17."""

# Two studies are merged only where the descriptions of their tasks are equal, so these texts must not change.
_DESCRIPTIONS: dict[Kind, str] = {
    "windows": f"{WINDOW}-word windows, label: the tag of the middle word",
    "windows-tags": f"{WINDOW}-word windows, labels: the tags of all {WINDOW} words; the middle one is scored",
    "sentences": "whole sentences, a tag a word",
}


def tagging_task(corpus: Corpus, kind: Kind) -> Task:
    """Return the corpus as a task with items of one kind; words are those of the training part, whose classes come first.

    A class that only valid or test has is kept: no model can learn it, and each of its labels counts as an error.
    """
    classes, words = _by_count(corpus.train.tags), ["<pad>", "<unk>", *_by_count(corpus.train.words)]
    if len(classes) < 2:
        raise InputError(
            f"{corpus.name}: every word of train has the tag {classes[0]}: with one class there is nothing to learn; "
            "choose another tag_column, or other files"
        )
    unlearnable = {part: _count_unlearnable(sentences, classes) for part, sentences in _held_out(corpus).items()}
    classes += sorted(set().union(*unlearnable.values()))
    class_id, word_id = _ids(classes), _ids(words)
    train, valid, test = (
        _part(part, kind, word_id, class_id, tuple(classes), corpus.entities)
        for part in (corpus.train, corpus.valid, corpus.test)
    )
    single_label = kind != "windows-tags"
    return Task(
        description=f"{corpus.name}, {_DESCRIPTIONS[kind]}",
        inputs="tokens",
        prior="natural",
        shape=Shape(
            classes=len(classes),
            vocabulary=len(words),
            positions=1 if kind == "sentences" else WINDOW,
            labelled_positions=1 if single_label else WINDOW,
        ),
        train=train,
        valid=valid,
        test=test,
        fingerprint=corpus.fingerprint(),
        baseline=_most_frequent_tags(corpus, class_id),
        notes=(*corpus.notes, *_note_unlearnable(unlearnable), *_note_repeats(corpus)),
        test_texts=tuple(shorten(word) for sentence in corpus.test.words for word in sentence),
    )


def _held_out(corpus: Corpus) -> dict[str, Sentences]:
    return {"valid": corpus.valid, "test": corpus.test}


def _count_unlearnable(sentences: Sentences, classes: list[str]) -> Counter[str]:
    """Return how many labels the classes have that training has not."""
    counts = Counter(tag for tags in sentences.tags for tag in tags)
    return Counter({tag: count for tag, count in counts.items() if tag not in classes})


def _note_unlearnable(unlearnable: dict[str, Counter[str]]) -> list[str]:
    names = sorted(set().union(*unlearnable.values()))
    if not names:
        return []
    listed = ", ".join(names[:9]) + (f" and {len(names) - 9} more" if len(names) > 9 else "")
    words = " and ".join(f"{counts.total():,} in {part}" for part, counts in unlearnable.items() if counts)
    return [
        f"train has no {listed}: no model can learn a class without an item, so such words count as errors ({words})"
    ]


def _note_repeats(corpus: Corpus) -> list[str]:
    """Return a note where many held-out sentences stand in train too, word by word; a few short ones do in every text."""
    trained = set(corpus.train.words)
    repeats = {part: sum(words in trained for words in held_out.words) for part, held_out in _held_out(corpus).items()}
    return [
        f"{count:,} of {len(held_out):,} sentences of {part} are in train too, word by word, so a model can know them by heart"
        for (part, held_out), count in zip(_held_out(corpus).items(), repeats.values(), strict=True)
        if count > MOST_REPEATS * len(held_out)
    ]


def _by_count(sentences: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the distinct words or tags, the most frequent first, equally frequent ones by name."""
    counts = Counter(token for sentence in sentences for token in sentence)
    return sorted(counts, key=lambda token: (-counts[token], token))


def _ids(names: list[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _part(
    sentences: Sentences,
    kind: Kind,
    word_id: dict[str, int],
    class_id: dict[str, int],
    names: tuple[str, ...],
    entities: bool,
) -> Part:
    words = torch.tensor([word_id.get(word, UNK) for sentence in sentences.words for word in sentence])
    tags = torch.tensor([class_id[tag] for sentence in sentences.tags for tag in sentence])
    offsets = torch.tensor([0, *(len(sentence) for sentence in sentences.words)]).cumsum(0)
    if kind == "sentences":
        return TaggedSentences(words, Labels(tags, offsets, names), has_entities=entities)
    windows = _windows(words, offsets, PAD)
    if kind == "windows":
        return Rows(windows, Labels.of(tags, names), offsets, marks_entities=entities)
    all_tags = _windows(tags, offsets, IGNORED).flatten()
    return Rows(
        windows, Labels(all_tags, torch.arange(len(tags) + 1) * WINDOW, names), offsets, marks_entities=entities
    )


def _windows(values: Tensor, offsets: Tensor, pad: int) -> Tensor:
    """Return the WINDOW values around each position, `values (L,)` -> `(L, WINDOW)`, with `pad` beyond the sentence."""
    lengths = offsets.diff()
    first = torch.repeat_interleave(offsets[:-1], lengths).unsqueeze(1)
    end = torch.repeat_interleave(offsets[1:], lengths).unsqueeze(1)
    index = torch.arange(len(values)).unsqueeze(1) + torch.arange(WINDOW) - WINDOW // 2
    inside = (index >= first) & (index < end)
    return values[index.clamp(0, len(values) - 1)].masked_fill(~inside, pad)


def _most_frequent_tags(corpus: Corpus, class_id: dict[str, int]) -> Tensor:
    """Return each test word's most frequent tag in train, the first seen of equals; the majority class for an unknown word."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in zip(corpus.train.words, corpus.train.tags, strict=True):
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    lookup = {word: class_id[seen.most_common(1)[0][0]] for word, seen in counts.items()}
    return torch.tensor([lookup.get(word, 0) for sentence in corpus.test.words for word in sentence])
