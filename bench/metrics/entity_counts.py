"""Entities in tag sequences, counted by type as seqeval's default mode (conlleval) does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from bench.records.record import EntityCounts
from bench.tasks.part import Part


@dataclass(frozen=True)
class _TagTables:
    """Where entities start and end, by pairs of neighbouring tags: C tags, the start of a sentence (C) and its end (C + 1)."""

    starts: np.ndarray
    """`(C + 2, C + 2)`, whether an entity starts with the second tag."""
    ends: np.ndarray
    """`(C + 2, C + 2)`, whether an entity ends with the first tag."""
    kind: np.ndarray
    """The entity type `(C,)` of each tag, an index into `kinds`."""
    kinds: list[str]


def entity_counts(classes: Tensor, part: Part) -> dict[str, EntityCounts] | None:
    """Count entities by type for the predicted `classes (L,)`; None for a part without entities."""
    if not part.has_entities:
        return None
    truth, predicted = _true_entities(part), _find_entities(classes, part)
    kinds = _tag_tables(part.labels.class_names).kinds
    of_both = np.intersect1d(truth, predicted, assume_unique=True)
    correct, of_predicted, of_truth = (
        np.bincount(entities % len(kinds), minlength=len(kinds)).tolist() for entities in (of_both, predicted, truth)
    )
    counts = zip(kinds, correct, of_predicted, of_truth, strict=True)
    return {kind: EntityCounts(*numbers) for kind, *numbers in counts if numbers[1] or numbers[2]}


@lru_cache(maxsize=4)
def _true_entities(part: Part) -> np.ndarray:
    """Return the true entities; cached, since every run of a task is compared with the same ones."""
    return _find_entities(part.truth, part)


def _find_entities(classes: Tensor, part: Part) -> np.ndarray:
    """Return a number for every entity, made of its first word, its last word and its type (last)."""
    assert part.sentences is not None
    tables, tags = _tag_tables(part.labels.class_names), classes.cpu().numpy()
    start_of_sentence, end_of_sentence = len(tables.kind), len(tables.kind) + 1
    lengths = part.sentences.diff().numpy()
    last = np.cumsum(lengths[lengths > 0]) - 1
    first = np.append(0, last[:-1] + 1)
    before, after = np.roll(tags, 1), np.roll(tags, -1)
    before[first], after[last] = start_of_sentence, end_of_sentence
    is_start = tables.starts[before, tags]
    is_start[first] = True  # where no entity has started, seqeval takes the first word of the sentence
    end = np.flatnonzero(tables.ends[tags, after])
    start = np.maximum.accumulate(np.where(is_start, np.arange(len(tags)), 0))[end]
    numbers: np.ndarray = (start * len(tags) + end) * len(tables.kinds) + tables.kind[tags[end]]
    return numbers


@lru_cache(maxsize=4)
def _tag_tables(names: tuple[str, ...]) -> _TagTables:
    """Return the tables for the tags of these names, filled by seqeval's own rules."""
    from seqeval.metrics.sequence_labeling import end_of_chunk, start_of_chunk

    tags = [(name[0], name[1:].split("-", maxsplit=1)[-1] or "_") for name in names]
    pairs: Sequence[tuple[str, str]] = [*tags, ("O", ""), ("O", "_")]
    starts, ends = (
        np.array([[rule(before[0], after[0], before[1], after[1]) for after in pairs] for before in pairs])
        for rule in (start_of_chunk, end_of_chunk)
    )
    kinds = sorted({kind for _, kind in tags})
    return _TagTables(starts, ends, np.array([kinds.index(kind) for _, kind in tags]), kinds)
