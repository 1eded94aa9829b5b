"""The suggested number of seeds: how often it decides, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from bench.stats import MOST_SEEDS, Resplit, Split, compare_pairs, seeds_to_decide

MARGIN = 0.01


def is_decided(differences, comparisons: int, split: Split) -> bool:
    """Whether these seeds decide at the first step of a family, by the functions that verdicts are made of."""
    found = compare_pairs(differences, 0.0, split=split)
    is_within = found.low > -MARGIN and found.high < MARGIN
    return bool(comparisons * found.p < 0.05 or (comparisons * found.equivalence_p(MARGIN) < 0.05 and is_within))


def decided_shares(truth, sd, n, *, comparisons, studies, split: Split = "fixed", seed=0):
    """Continue inconclusive studies to the suggested number: the share of these that is decided, and of those without one."""
    rng = np.random.default_rng([seed, n, comparisons])
    decided, without = [], 0
    while len(decided) + without < studies:
        differences = rng.normal(truth, sd, MOST_SEEDS)
        if is_decided(differences[:n], comparisons, split):
            continue
        first = differences[:n]
        seeds = seeds_to_decide(first.mean(), first.std(ddof=1), n, margin=MARGIN, comparisons=comparisons, split=split)
        if seeds is None:
            without += 1
        else:
            assert n < seeds <= MOST_SEEDS
            decided.append(is_decided(differences[:seeds], comparisons, split))
    return float(np.mean(decided)), without / studies


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_the_suggested_number_decides_in_80_of_100_studies(truth):
    decided, without = decided_shares(truth * MARGIN, 0.6 * MARGIN, 5, comparisons=9, studies=60)
    assert decided >= 0.8 - 2 * np.sqrt(0.8 * 0.2 / 60)
    assert without < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.0, 0.25, 0.5, 0.75, 1.0, 1.5])
@pytest.mark.parametrize("sd", [0.6, 1.0])
@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("comparisons", [1, 9])
def test_the_suggested_number_decides_in_80_of_100_studies_of_many_kinds(truth, sd, n, comparisons):
    if n == 10 and comparisons == 1 and sd < 1:
        pytest.skip("too few of these studies are inconclusive")
    decided, _ = decided_shares(truth * MARGIN, sd * MARGIN, n, comparisons=comparisons, studies=200)
    print(f"truth {truth} sd {sd} n {n} comparisons {comparisons}: {decided:.3f}")
    assert decided >= 0.8 - 2 * np.sqrt(0.8 * 0.2 / 200)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "sd", "split"), [(3, 0.6, "fixed"), (3, 1.0, "fixed"), (4, 1.0, "fixed"), (5, 0.45, Resplit(10, 190))]
)
@pytest.mark.parametrize("truth", [0.5, 1.0])
def test_the_suggested_number_decides_after_few_seeds_and_where_seeds_split_anew(n, sd, split, truth):
    comparisons = 9 if split == "fixed" else 2
    decided, without = decided_shares(truth * MARGIN, sd * MARGIN, n, comparisons=comparisons, studies=120, split=split)
    print(f"truth {truth} sd {sd} n {n} {split}: {decided:.3f}, without a number {without:.2f}")
    assert decided >= 0.8 - 2 * np.sqrt(0.8 * 0.2 / 120)


def test_no_number_is_suggested_that_would_not_do():
    assert seeds_to_decide(0.005, 0.2, 5, margin=MARGIN, comparisons=9, split="fixed") is None
    split = Resplit(50, 50)  # however many seeds: the data stay the same
    assert seeds_to_decide(0.005, 0.01, 5, margin=MARGIN, comparisons=9, split=split) is None
    assert seeds_to_decide(0.005, 0.0, 5, margin=MARGIN, comparisons=9, split="fixed") is None
    assert seeds_to_decide(0.005, np.nan, 1, margin=MARGIN, comparisons=9, split="fixed") is None


def test_a_larger_family_and_a_larger_spread_need_more_seeds():
    def suggested(sd=0.006, comparisons=1):
        seeds = seeds_to_decide(0.005, sd, 5, margin=MARGIN, comparisons=comparisons, split="fixed")
        assert seeds is not None
        return seeds

    assert suggested() < suggested(comparisons=9) < suggested(sd=0.008, comparisons=9)


def test_it_does_not_depend_on_the_unit():
    arguments = {"comparisons": 9, "split": "fixed"}
    assert seeds_to_decide(0.005, 0.006, 5, margin=0.01, **arguments) == seeds_to_decide(
        5.0, 6.0, 5, margin=10.0, **arguments
    )
