"""The thread's claims: they hold on records made so, do not on records made otherwise, and are not measured without rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from bench.records.record import Evaluation, PlannedStrategy, Record, SamplingStats, Study
from bench.report.thread_claims import Claim, claims

WINDOWS, TAGS = "conll2003-windows", "conll2003-windows-tags"
IGNORING, WEIGHTS, SAMPLER, PRODUCT = range(4)

Confusion = list[list[int]]
PLAIN: Confusion = [[900, 50, 50], [20, 80, 0], [20, 0, 80]]
WORSE_AND_MORE: Confusion = [[905, 45, 50], [100, 0, 0], [100, 0, 0]]
WORSE_AND_LESS: Confusion = [[10, 490, 500], [0, 100, 0], [0, 0, 100]]
BETTER_AND_MORE: Confusion = [[990, 5, 5], [20, 80, 0], [20, 0, 80]]
BETTER_RARE_BEST: Confusion = [[960, 20, 20], [1, 99, 0], [1, 0, 99]]
NATURAL = SamplingStats(1000, 7000, [6300, 420, 280], 0.9)
LEVEL = SamplingStats(1000, 1000, [330, 340, 330], 0.9)


def made(
    task: str, strategy: str, confusion: Confusion = PLAIN, drawn: SamplingStats = NATURAL, seeds: int = 4
) -> list[Record]:
    """A record for each seed, of which the dominant class's labels differ by a few."""
    each = []
    for seed in range(seeds):
        counted = np.array(confusion)
        counted[0] += [seed % 2, 0, seed % 3]
        found = Evaluation("chosen", "test", counted.tolist(), 1.0)
        id = f"{task}/{strategy}/{seed}"
        each.append(Record(id, task, strategy, seed, {}, ["O", "A", "B"], [found], [], 1, True, drawn, [], {}))
    return each


def judged(*rows: list[Record], lost: str = "") -> list[Claim]:
    planned = [
        PlannedStrategy(each[0].task, each[0].strategy, {record.seed: record.id for record in each}) for each in rows
    ]
    return claims(Study("made", [], planned, {}, []), [each for row in rows for each in row if each.id != lost])


@pytest.mark.parametrize(
    ("claim", "strategy", "confusion", "holds"),
    [
        (IGNORING, "ignore-index", WORSE_AND_MORE, [True, True]),
        (IGNORING, "ignore-index", WORSE_AND_LESS, [True, False]),
        (IGNORING, "ignore-index", BETTER_AND_MORE, [False, True]),
        (IGNORING, "ignore-index", PLAIN, [False, False]),
        (WEIGHTS, "loss-weights", BETTER_AND_MORE, [True, True, True]),
        (WEIGHTS, "loss-weights", BETTER_RARE_BEST, [True, False, False]),
        (WEIGHTS, "loss-weights", WORSE_AND_MORE, [False, True, True]),
    ],
)
def test_a_claim_on_predictions_holds_if_each_of_its_findings_does(claim, strategy, confusion, holds):
    found = judged(made(WINDOWS, "none"), made(WINDOWS, strategy, confusion))[claim]
    assert [each.holds for each in found.findings] == holds
    assert found.verdict == ("holds" if all(holds) else "does not hold")


@pytest.mark.parametrize(
    ("by_class", "holds"),
    [([330, 340, 330], [True, True]), ([400, 300, 300], [False, True]), ([360, 360, 280], [True, False])],
)
def test_batches_are_equal_where_each_share_is_within_a_tenth(by_class, holds):
    (found,) = [
        judged(made(WINDOWS, "weighted-random-sampler", drawn=SamplingStats(1000, 1000, by_class, 0.9)))[SAMPLER]
    ]
    assert [each.holds for each in found.findings] == holds
    assert [each.value for each in found.findings] == pytest.approx([max(by_class) / 1000, min(by_class) / 1000])


@pytest.mark.parametrize(
    ("drawn", "holds"),
    [
        (SamplingStats(1000, 1010, [600, 210, 200], 0.01), [True, True]),
        (SamplingStats(1000, 7000, [600, 210, 200], 0.01), [False, True]),
        (SamplingStats(1000, 1010, [600, 210, 200], 0.95), [True, False]),
    ],
)
def test_short_sentences_weigh_too_much_where_fewer_labels_an_item_and_fewer_items_are_drawn(drawn, holds):
    rows = [made(TAGS, "none"), made(TAGS, "sentence-weights"), made(TAGS, "sentence-weights(product)", drawn=drawn)]
    found = judged(*rows)[PRODUCT]
    assert [each.holds for each in found.findings] == holds
    assert (found.findings[0].value, found.findings[0].reference) == (drawn.labels / drawn.items, 7.0)


def test_a_finding_tells_means_and_the_paired_interval():
    plain, ignoring = made(WINDOWS, "none"), made(WINDOWS, "ignore-index", WORSE_AND_MORE)
    accuracy = judged(plain, ignoring)[IGNORING].findings[0]
    theirs, ours = ([by_items(each) for each in records] for records in (plain, ignoring))
    assert (accuracy.value, accuracy.reference) == pytest.approx((np.mean(ours), np.mean(theirs)))
    interval = stats.ttest_rel(ours, theirs).confidence_interval()
    assert (accuracy.low, accuracy.high) == pytest.approx((interval.low, interval.high))


def by_items(record: Record) -> float:
    """Accuracy of the labels one by one."""
    confusion = np.array(record.evaluation("chosen", "test").confusion)
    truth, predicted = np.indices(confusion.shape).reshape(2, -1).repeat(confusion.ravel(), axis=1)
    return float(accuracy_score(truth, predicted))


@pytest.mark.parametrize(
    ("rows", "lost", "why"),
    [
        ([], "", "ignore-index, none on conll2003-windows: not in this study"),
        ([made(WINDOWS, "none")], "", "ignore-index on conll2003-windows: not in this study"),
        (
            [made("synthetic-conll", "none"), made("synthetic-conll", "ignore-index")],
            "",
            "ignore-index, none on conll2003",
        ),
        (
            [made(WINDOWS, "none"), made(WINDOWS, "ignore-index")],
            f"{WINDOWS}/ignore-index/2",
            "ignore-index on conll2003",
        ),
        ([made(WINDOWS, "none", seeds=1), made(WINDOWS, "ignore-index", seeds=1)], "", "share 1 seeds; it takes two"),
    ],
    ids=["nothing", "a row less", "another corpus", "a record less", "one seed"],
)
def test_what_is_not_there_is_not_judged(rows, lost, why):
    found = judged(*rows, lost=lost)[IGNORING]
    assert (found.verdict, found.findings) == ("not measured here", [])
    assert why in found.missing
