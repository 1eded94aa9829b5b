"""The thread's claims hold on records that bear them out, do not hold on others, and are not measured without records."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from bench.records.record import Evaluation, PlannedStrategy, Record, SamplingStats, Study
from bench.report.thread_claims import Claim, check_claims

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


def simulate(
    task: str, strategy: str, confusion: Confusion = PLAIN, sampled: SamplingStats = NATURAL, seeds: int = 4
) -> list[Record]:
    """A record for each seed; seeds differ by a few labels of the dominant class."""
    records = []
    for seed in range(seeds):
        counts = np.array(confusion)
        counts[0] += [seed % 2, 0, seed % 3]
        evaluation = Evaluation("chosen", "test", counts.tolist(), 1.0)
        id = f"{task}/{strategy}/{seed}"
        records.append(
            Record(id, task, strategy, seed, {}, ["O", "A", "B"], [evaluation], [], 1, True, sampled, [], {})
        )
    return records


def check(*strategies: list[Record], lost: str = "") -> list[Claim]:
    """The claims, checked on a study that planned all these records and lacks the one of the id `lost`."""
    planned = [
        PlannedStrategy(records[0].task, records[0].strategy, {record.seed: record.id for record in records})
        for records in strategies
    ]
    kept = [record for records in strategies for record in records if record.id != lost]
    return check_claims(Study("simulated", [], planned, {}, []), kept)


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
    checked = check(simulate(WINDOWS, "none"), simulate(WINDOWS, strategy, confusion))[claim]
    assert [finding.holds for finding in checked.findings] == holds
    assert checked.verdict == ("holds" if all(holds) else "does not hold")


@pytest.mark.parametrize(
    ("by_class", "holds"),
    [([330, 340, 330], [True, True]), ([400, 300, 300], [False, True]), ([360, 360, 280], [True, False])],
)
def test_batches_are_equal_if_each_share_is_within_a_tenth(by_class, holds):
    sampled = SamplingStats(1000, 1000, by_class, 0.9)
    claim = check(simulate(WINDOWS, "weighted-random-sampler", sampled=sampled))[SAMPLER]
    assert [finding.holds for finding in claim.findings] == holds
    assert [finding.value for finding in claim.findings] == pytest.approx([max(by_class) / 1000, min(by_class) / 1000])


@pytest.mark.parametrize(
    ("sampled", "holds"),
    [
        (SamplingStats(1000, 1010, [600, 210, 200], 0.01), [True, True]),
        (SamplingStats(1000, 7000, [600, 210, 200], 0.01), [False, True]),
        (SamplingStats(1000, 1010, [600, 210, 200], 0.95), [True, False]),
    ],
)
def test_short_sentences_weigh_too_much_if_fewer_labels_per_item_and_fewer_items_are_sampled(sampled, holds):
    rows = [
        simulate(TAGS, "none"),
        simulate(TAGS, "sentence-weights"),
        simulate(TAGS, "sentence-weights(product)", sampled=sampled),
    ]
    claim = check(*rows)[PRODUCT]
    assert [finding.holds for finding in claim.findings] == holds
    assert (claim.findings[0].value, claim.findings[0].reference) == (sampled.labels / sampled.items, 7.0)


def test_a_finding_has_means_and_the_paired_interval():
    plain, ignoring = simulate(WINDOWS, "none"), simulate(WINDOWS, "ignore-index", WORSE_AND_MORE)
    accuracy = check(plain, ignoring)[IGNORING].findings[0]
    theirs, ours = ([accuracy_of(record) for record in records] for records in (plain, ignoring))
    assert (accuracy.value, accuracy.reference) == pytest.approx((np.mean(ours), np.mean(theirs)))
    interval = stats.ttest_rel(ours, theirs).confidence_interval()
    assert (accuracy.low, accuracy.high) == pytest.approx((interval.low, interval.high))


def accuracy_of(record: Record) -> float:
    """Accuracy by scikit-learn, label by label."""
    confusion = np.array(record.evaluation("chosen", "test").confusion)
    truth, predicted = np.indices(confusion.shape).reshape(2, -1).repeat(confusion.ravel(), axis=1)
    return float(accuracy_score(truth, predicted))


@pytest.mark.parametrize(
    ("rows", "lost", "why"),
    [
        ([], "", "ignore-index, none on conll2003-windows: not in this study"),
        ([simulate(WINDOWS, "none")], "", "ignore-index on conll2003-windows: not in this study"),
        (
            [simulate("synthetic-conll", "none"), simulate("synthetic-conll", "ignore-index")],
            "",
            "ignore-index, none on conll2003",
        ),
        (
            [simulate(WINDOWS, "none"), simulate(WINDOWS, "ignore-index")],
            f"{WINDOWS}/ignore-index/2",
            "ignore-index on conll2003",
        ),
        (
            [simulate(WINDOWS, "none", seeds=1), simulate(WINDOWS, "ignore-index", seeds=1)],
            "",
            "have 1 seeds in common on conll2003-windows",
        ),
    ],
    ids=["nothing", "no remedy", "another corpus", "a record is missing", "one seed"],
)
def test_claims_without_complete_strategies_are_not_measured(rows, lost, why):
    claim = check(*rows, lost=lost)[IGNORING]
    assert (claim.verdict, claim.findings) == ("not measured here", [])
    assert why in claim.missing
