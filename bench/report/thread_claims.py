"""What a forum thread said of its own attempts on CoNLL-2003, and whether a study's records bear it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.records.record import Record, Study
from bench.stats.paired import paired

Verdict = Literal["holds", "does not hold", "not measured here"]
Expected = Literal["more", "less", "the same"]
Measure = Callable[[Record], float]

WINDOWS, ALL_LABELS = "conll2003-windows", "conll2003-windows-tags"
TOLERANCE = 0.1
"""Shares of a batch that differ from an equal one by less than this part of it are equal."""


@dataclass(frozen=True)
class Finding:
    """One number that a claim rests on, mean over seeds, beside what it was said to be more, less or the same than."""

    what: str
    of: str
    value: float
    expected: Expected
    beside: str
    reference: float
    low: float
    high: float
    """95% interval of the paired difference; NaN where it is the same at every seed, or there is one seed."""
    holds: bool


@dataclass(frozen=True)
class Claim:
    """A claim, the findings on its task, and the verdict: it holds if all of them do."""

    text: str
    task: str
    findings: list[Finding]
    missing: str = ""
    """Why it was not measured; empty where it was."""

    @property
    def verdict(self) -> Verdict:
        """What the findings say."""
        if self.missing:
            return "not measured here"
        return "holds" if all(each.holds for each in self.findings) else "does not hold"


@dataclass(frozen=True)
class _Part:
    """A finding to be made: a strategy's measure beside another's, or beside another measure of its own."""

    what: str
    of: str
    measure: Measure
    expected: Expected
    beside: str
    reference: Measure
    other: str = ""
    """The strategy that the reference is measured on; empty: the same."""


def claims(study: Study, records: Iterable[Record]) -> list[Claim]:
    """The thread's four claims; rows count where every planned seed has finished, two seeds at least."""
    held = {record.id: record for record in records}
    found = {
        (row.task, row.strategy): {seed: held[id] for seed, id in row.runs.items() if id in held}
        for row in study.strategies
    }
    planned = {(row.task, row.strategy): len(row.runs) for row in study.strategies}
    complete = {key: each for key, each in found.items() if each and len(each) == planned[key]}
    return [_claim(text, task, parts, complete) for text, task, parts in _CLAIMS]


def _claim(text: str, task: str, parts: Sequence[_Part], rows: dict[tuple[str, str], dict[int, Record]]) -> Claim:
    asked = dict.fromkeys(name for part in parts for name in (part.of, part.other or part.of))
    if lacking := [name for name in asked if (task, name) not in rows]:
        return Claim(
            text, task, [], f"{', '.join(lacking)} on {task}: not in this study, or not all seeds have finished"
        )
    seeds = sorted(set.intersection(*({*rows[task, name]} for name in asked)))
    if len(seeds) < 2:
        return Claim(text, task, [], f"on {task} these rows share {len(seeds)} seeds; it takes two")
    return Claim(
        text, task, list(_findings(parts, {name: [rows[task, name][seed] for seed in seeds] for name in asked}))
    )


def _findings(parts: Sequence[_Part], records: dict[str, list[Record]]) -> Iterator[Finding]:
    for part in parts:
        values = np.array([part.measure(each) for each in records[part.of]])
        references = np.array([part.reference(each) for each in records[part.other or part.of]])
        found = paired(values, references, split="fixed")
        low, high = float(found.low), float(found.high)
        yield Finding(
            *(
                part.what,
                part.of,
                float(values.mean()),
                part.expected,
                part.beside,
                float(references.mean()),
                low,
                high,
            ),
            _as_said(part.expected, values, references, low, high),
        )


def _as_said(expected: Expected, values: np.ndarray, references: np.ndarray, low: float, high: float) -> bool:
    """By the interval; a difference that no seed changes needs none, and shares are the same within the tolerance."""
    if expected == "the same":
        return bool((np.abs(values - references) <= TOLERANCE * references).all())
    difference = float((values - references).mean())
    least, most = (difference, difference) if np.isnan(low) else (low, high)
    return least > 0 if expected == "more" else most < 0


def _confusion(record: Record) -> np.ndarray:
    return np.array(record.evaluation("chosen", "test").confusion, dtype=np.float64)


def _recalls(record: Record) -> np.ndarray:
    """Of the classes that occur, the dominant one of the training part first."""
    confusion = _confusion(record)
    occurring = confusion.sum(1) > 0
    recalls: np.ndarray = np.diag(confusion)[occurring] / confusion.sum(1)[occurring]
    return recalls


def _accuracy(record: Record) -> float:
    confusion = _confusion(record)
    return float(np.trace(confusion) / confusion.sum())


def _predicted_as_dominant(record: Record) -> float:
    confusion = _confusion(record)
    return float(confusion[:, 0].sum() / confusion.sum())


def _dominant(record: Record) -> float:
    """Its share of test labels."""
    confusion = _confusion(record)
    return float(confusion[0].sum() / confusion.sum())


def _dominant_recall(record: Record) -> float:
    return float(_recalls(record)[0])


def _others_recall(record: Record) -> float:
    return float(_recalls(record)[1:].mean())


def _shares(record: Record) -> np.ndarray:
    drawn = np.array(record.sampling.by_class, dtype=np.float64)
    shares: np.ndarray = drawn / drawn.sum()
    return shares


def _largest_share(record: Record) -> float:
    return float(_shares(record).max())


def _smallest_share(record: Record) -> float:
    return float(_shares(record).min())


def _equal_share(record: Record) -> float:
    return 1 / len(record.sampling.by_class)


def _labels_an_item(record: Record) -> float:
    return record.sampling.labels / record.sampling.items


def _coverage(record: Record) -> float:
    return record.sampling.coverage


_PREDICTED = "share of test labels that are predicted as the dominant class"
_CLAIMS: tuple[tuple[str, str, tuple[_Part, ...]], ...] = (
    (
        "ignoring the dominant class lowers accuracy and makes the model predict it more",
        WINDOWS,
        (
            _Part("accuracy", "ignore-index", _accuracy, "less", "none", _accuracy, "none"),
            _Part(_PREDICTED, "ignore-index", _predicted_as_dominant, "more", "none", _predicted_as_dominant, "none"),
        ),
    ),
    (
        "class weights raise accuracy but still favour the dominant class",
        WINDOWS,
        (
            _Part("accuracy", "loss-weights", _accuracy, "more", "none", _accuracy, "none"),
            _Part(
                "recall of the dominant class",
                "loss-weights",
                _dominant_recall,
                "more",
                "mean recall of the others",
                _others_recall,
            ),
            _Part(_PREDICTED, "loss-weights", _predicted_as_dominant, "more", "its share of test labels", _dominant),
        ),
    ),
    (
        "a weighted sampler equalises the batches",
        WINDOWS,
        (
            _Part(
                "largest share of a class in what is drawn",
                "weighted-random-sampler",
                _largest_share,
                "the same",
                "an equal share",
                _equal_share,
            ),
            _Part(
                "smallest share of a class in what is drawn",
                "weighted-random-sampler",
                _smallest_share,
                "the same",
                "an equal share",
                _equal_share,
            ),
        ),
    ),
    (
        "a plain product gives short sentences too much weight",
        ALL_LABELS,
        (
            _Part(
                "labels an item that is drawn",
                "sentence-weights(product)",
                _labels_an_item,
                "less",
                "none",
                _labels_an_item,
                "none",
            ),
            _Part(
                "share of the items that are ever drawn",
                "sentence-weights(product)",
                _coverage,
                "less",
                "sentence-weights",
                _coverage,
                "sentence-weights",
            ),
        ),
    ),
)
