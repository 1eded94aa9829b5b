"""Claims that a forum thread makes about its own attempts on CoNLL-2003, checked against the records of a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.records.record import Record, Study
from bench.report.titles import BASELINE
from bench.stats.paired_difference import compare_pairs

ClaimVerdict = Literal["holds", "does not hold", "not measured here"]
Expected = Literal["more", "less", "the same"]

WINDOWS, ALL_LABELS = "conll2003-windows", "conll2003-windows-tags"
TOLERANCE = 0.1
"""Two shares are the same if they differ by at most this part of the reference."""


@dataclass(frozen=True)
class Finding:
    """One number that a claim rests on, mean over seeds, and the number that it is claimed to be more, less or the same than.

    `low` and `high` are the 95% interval of the paired difference, NaN if the difference is the same at every seed.
    """

    quantity: str
    strategy: str
    value: float
    expected: Expected
    compared_with: str
    reference: float
    low: float
    high: float
    holds: bool


@dataclass(frozen=True)
class Claim:
    """A claim with the findings on its task; it holds if all findings are as claimed.

    `missing` is the reason why it was not measured, empty if it was.
    """

    text: str
    task: str
    findings: list[Finding]
    missing: str = ""

    @property
    def verdict(self) -> ClaimVerdict:
        """Whether the claim holds."""
        if self.missing:
            return "not measured here"
        return "holds" if all(finding.holds for finding in self.findings) else "does not hold"


def check_claims(study: Study, records: Iterable[Record]) -> list[Claim]:
    """Return the thread's four claims with what the records say about each.

    A claim is measured if every planned seed of its strategies has a record, and they have at least two seeds in common.
    """
    records_by_id = {record.id: record for record in records}
    complete = {}
    for planned in study.strategies:
        finished = {seed: records_by_id[id] for seed, id in planned.runs.items() if id in records_by_id}
        if finished and len(finished) == len(planned.runs):
            complete[planned.task, planned.strategy] = finished
    return [_check_claim(thread_claim, complete) for thread_claim in _THREAD_CLAIMS]


@dataclass(frozen=True)
class _Quantity:
    """A number of one run, with its name in the report."""

    name: str
    measure: Callable[[Record], float]


@dataclass(frozen=True)
class _Expectation:
    """A quantity of a strategy that is claimed to be more, less or the same than a reference.

    The reference is the same quantity of another strategy (its id), or another quantity of the same strategy.
    """

    strategy: str
    quantity: _Quantity
    expected: Expected
    reference: str | _Quantity

    @property
    def reference_strategy(self) -> str:
        return self.reference if isinstance(self.reference, str) else self.strategy

    @property
    def reference_quantity(self) -> _Quantity:
        return self.quantity if isinstance(self.reference, str) else self.reference

    @property
    def compared_with(self) -> str:
        return self.reference if isinstance(self.reference, str) else self.reference.name


@dataclass(frozen=True)
class _ThreadClaim:
    """A claim of the thread, the task that it is about, and what has to be found for it to hold."""

    text: str
    task: str
    expectations: tuple[_Expectation, ...]


def _check_claim(claim: _ThreadClaim, complete: dict[tuple[str, str], dict[int, Record]]) -> Claim:
    strategies = dict.fromkeys(
        strategy
        for expectation in claim.expectations
        for strategy in (expectation.strategy, expectation.reference_strategy)
    )
    if lacking := [strategy for strategy in strategies if (claim.task, strategy) not in complete]:
        reason = f"{', '.join(lacking)} on {claim.task}: not in this study, or not all seeds have finished"
        return Claim(claim.text, claim.task, [], reason)
    records = {strategy: complete[claim.task, strategy] for strategy in strategies}
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in records.values())))
    if len(seeds) < 2:
        reason = f"the strategies have {len(seeds)} seeds in common on {claim.task}; at least two are needed"
        return Claim(claim.text, claim.task, [], reason)
    paired_records = {strategy: [by_seed[seed] for seed in seeds] for strategy, by_seed in records.items()}
    return Claim(claim.text, claim.task, list(_findings(claim, paired_records)))


def _findings(claim: _ThreadClaim, records: dict[str, list[Record]]) -> Iterator[Finding]:
    """Yield what was found for each expectation; the records of all strategies are in the same order of seeds."""
    for expectation in claim.expectations:
        measure, measure_reference = expectation.quantity.measure, expectation.reference_quantity.measure
        values = np.array([measure(record) for record in records[expectation.strategy]])
        references = np.array([measure_reference(record) for record in records[expectation.reference_strategy]])
        difference = compare_pairs(values, references, split="fixed")
        low, high = float(difference.low), float(difference.high)
        yield Finding(
            quantity=expectation.quantity.name,
            strategy=expectation.strategy,
            value=float(values.mean()),
            expected=expectation.expected,
            compared_with=expectation.compared_with,
            reference=float(references.mean()),
            low=low,
            high=high,
            holds=_is_as_expected(expectation.expected, values, references, low, high),
        )


def _is_as_expected(expected: Expected, values: np.ndarray, references: np.ndarray, low: float, high: float) -> bool:
    """Return whether the whole interval is on the expected side of 0, or every seed within the tolerance of "the same"."""
    if expected == "the same":
        return bool((np.abs(values - references) <= TOLERANCE * references).all())
    if np.isnan(low):  # the difference is the same at every seed
        low = high = float((values - references).mean())
    return low > 0 if expected == "more" else high < 0


# Quantities of predictions. Class 0 is the dominant class: the most frequent one in training.


def _confusion(record: Record) -> np.ndarray:
    """Return labels on test by true and predicted class."""
    return np.array(record.evaluation("chosen", "test").confusion, dtype=np.float64)


def _recalls(record: Record) -> np.ndarray:
    """Return the recall of each class that occurs in test."""
    confusion = _confusion(record)
    labels = confusion.sum(1)
    recalls: np.ndarray = np.diag(confusion)[labels > 0] / labels[labels > 0]
    return recalls


def _accuracy(record: Record) -> float:
    confusion = _confusion(record)
    return float(np.trace(confusion) / confusion.sum())


def _share_predicted_as_dominant(record: Record) -> float:
    confusion = _confusion(record)
    return float(confusion[:, 0].sum() / confusion.sum())


def _share_of_dominant(record: Record) -> float:
    confusion = _confusion(record)
    return float(confusion[0].sum() / confusion.sum())


def _recall_of_dominant(record: Record) -> float:
    return float(_recalls(record)[0])


def _mean_recall_of_others(record: Record) -> float:
    return float(_recalls(record)[1:].mean())


# Quantities of what was sampled.


def _class_shares(record: Record) -> np.ndarray:
    """Return the share of each class among the sampled labels."""
    labels = np.array(record.sampling.by_class, dtype=np.float64)
    shares: np.ndarray = labels / labels.sum()
    return shares


def _largest_share(record: Record) -> float:
    return float(_class_shares(record).max())


def _smallest_share(record: Record) -> float:
    return float(_class_shares(record).min())


def _equal_share(record: Record) -> float:
    return 1 / len(record.sampling.by_class)


def _labels_per_item(record: Record) -> float:
    return record.sampling.labels / record.sampling.items


def _coverage(record: Record) -> float:
    return record.sampling.coverage


_ACCURACY = _Quantity("accuracy", _accuracy)
_PREDICTED_AS_DOMINANT = _Quantity(
    "share of test labels that are predicted as the dominant class", _share_predicted_as_dominant
)
_DOMINANT = _Quantity("its share of test labels", _share_of_dominant)
_DOMINANT_RECALL = _Quantity("recall of the dominant class", _recall_of_dominant)
_OTHERS_RECALL = _Quantity("mean recall of the others", _mean_recall_of_others)
_LARGEST_SHARE = _Quantity("largest share of a class among sampled labels", _largest_share)
_SMALLEST_SHARE = _Quantity("smallest share of a class among sampled labels", _smallest_share)
_EQUAL_SHARE = _Quantity("an equal share", _equal_share)
_LABELS_PER_ITEM = _Quantity("labels per sampled item", _labels_per_item)
_COVERAGE = _Quantity("share of the items that are sampled at least once", _coverage)

_SAMPLER, _PRODUCT = "weighted-random-sampler", "sentence-weights(product)"
_THREAD_CLAIMS = (
    _ThreadClaim(
        "ignoring the dominant class lowers accuracy and makes the model predict it more",
        WINDOWS,
        (
            _Expectation("ignore-index", _ACCURACY, "less", BASELINE),
            _Expectation("ignore-index", _PREDICTED_AS_DOMINANT, "more", BASELINE),
        ),
    ),
    _ThreadClaim(
        "class weights raise accuracy but still favour the dominant class",
        WINDOWS,
        (
            _Expectation("loss-weights", _ACCURACY, "more", BASELINE),
            _Expectation("loss-weights", _DOMINANT_RECALL, "more", _OTHERS_RECALL),
            _Expectation("loss-weights", _PREDICTED_AS_DOMINANT, "more", _DOMINANT),
        ),
    ),
    _ThreadClaim(
        "a weighted sampler equalises the batches",
        WINDOWS,
        (
            _Expectation(_SAMPLER, _LARGEST_SHARE, "the same", _EQUAL_SHARE),
            _Expectation(_SAMPLER, _SMALLEST_SHARE, "the same", _EQUAL_SHARE),
        ),
    ),
    _ThreadClaim(
        "a plain product gives short sentences too much weight",
        ALL_LABELS,
        (
            _Expectation(_PRODUCT, _LABELS_PER_ITEM, "less", BASELINE),
            _Expectation(_PRODUCT, _COVERAGE, "less", "sentence-weights"),
        ),
    ),
)
