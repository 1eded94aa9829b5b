"""Verdicts: the numbers in them, when there is none, and how often they are wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import InputError
from bench.stats import (
    BETTER,
    EQUIVALENT,
    INCONCLUSIVE,
    TOO_FEW_SEEDS,
    WORSE,
    Resplit,
    compare,
    holm,
    minimum_detectable_effect,
)


def table(rows, seeds=None):
    frame = pd.DataFrame.from_dict(rows, orient="index", dtype=float)
    frame.columns = range(frame.shape[1]) if seeds is None else seeds
    return frame


NONE = [0.70, 0.72, 0.71, 0.69, 0.73]
GOOD = [0.80, 0.83, 0.80, 0.80, 0.82]
BAD = [0.60, 0.63, 0.60, 0.60, 0.62]
SAME = [0.71, 0.70, 0.72, 0.69, 0.72]
ROWS = {"none": NONE, "good": GOOD, "same": SAME, "bad": BAD}


def by_name(found):
    return {each.strategy: each for each in found.verdicts}


def test_a_verdict_holds_the_numbers_behind_it():
    found = by_name(compare(table(ROWS), baseline="none", primary=["same", "good"], split="fixed"))
    tests = {name: stats.ttest_rel(ROWS[name], NONE) for name in ("good", "same", "bad")}
    adjusted = dict(zip(("good", "same"), holm([tests["good"].pvalue, tests["same"].pvalue]), strict=True))
    assert list(found) == ["same", "good", "bad"]
    assert [each.outcome for each in found.values()] == [INCONCLUSIVE, BETTER, WORSE]
    assert [each.family for each in found.values()] == ["primary", "primary", "exploratory"]
    for name, verdict in found.items():
        interval = tests[name].confidence_interval()
        assert (verdict.low, verdict.high) == pytest.approx((interval.low, interval.high))
        assert verdict.p == pytest.approx(tests[name].pvalue)
        assert verdict.adjusted_p == pytest.approx(adjusted.get(name, np.nan), nan_ok=True)
        sd = np.std(np.subtract(ROWS[name], NONE), ddof=1)
        m = 2 if name in adjusted else 1
        expected = minimum_detectable_effect(sd, 5, comparisons=m, split="fixed")
        assert verdict.minimum_detectable_effect == pytest.approx(float(expected))
        assert (verdict.n, verdict.reason) == (5, "")


def test_where_less_is_better_outcomes_change_and_differences_do_not():
    up, down = (
        by_name(compare(table(ROWS), baseline="none", primary=[], split="fixed", direction=direction))
        for direction in ("up", "down")
    )
    assert (up["good"].outcome, down["good"].outcome) == ("better", "worse")
    assert (up["bad"].outcome, down["bad"].outcome) == ("worse", "better")
    assert up["good"].difference == down["good"].difference > 0


def test_resplit_seeds_make_significance_harder():
    rows = {"none": NONE, "rather": [0.74, 0.73, 0.76, 0.73, 0.74]}
    plain, resplit = (
        by_name(compare(table(rows), baseline="none", primary=["rather"], split=split))["rather"]
        for split in ("fixed", Resplit(n_test=50, n_rest=100))
    )
    assert (plain.outcome, resplit.outcome) == (BETTER, INCONCLUSIVE)
    assert resplit.minimum_detectable_effect > plain.minimum_detectable_effect


def test_one_seed_is_too_few():
    found = by_name(compare(table({"none": [0.5], "good": [0.9]}), baseline="none", primary=["good"], split="fixed"))
    good = found["good"]
    assert (good.outcome, good.reason, good.n) == (TOO_FEW_SEEDS, "there is one seed, and at least 3 are needed", 1)
    assert good.difference == pytest.approx(0.4)
    assert np.isnan([good.low, good.high, good.p, good.adjusted_p, good.minimum_detectable_effect]).all()


def test_a_constant_difference_has_no_p_value_and_a_difference_of_zero_is_equivalent():
    rows = {"none": NONE, "twin": NONE, "shifted": [each + 0.1 for each in NONE]}
    found = by_name(compare(table(rows), baseline="none", primary=["twin", "shifted"], split="fixed"))
    assert found["twin"].outcome == EQUIVALENT
    assert found["shifted"].outcome == INCONCLUSIVE
    assert {each.reason.split(":")[0] for each in found.values()} == {"the difference is the same at every seed"}
    assert np.isnan([each.minimum_detectable_effect for each in found.values()]).all()


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_strategy_that_lacks_a_seed_is_named_and_makes_no_other_verdict_easier(hole):
    rows = ROWS | {"holed": [0.9, hole, 0.9, 0.9, hole]}
    found = compare(table(rows, [3, 5, 7, 11, 13]), baseline="none", primary=["good", "holed"], split="fixed")
    assert found.missing == {"holed": [5, 13]}
    assert list(by_name(found)) == ["good", "same", "bad"]
    assert by_name(found)["good"].adjusted_p == pytest.approx(2 * by_name(found)["good"].p)
    assert found.seeds == [3, 5, 7, 11, 13]


def test_without_a_complete_baseline_nothing_is_compared():
    found = compare(table(ROWS | {"none": [0.7, np.nan, 0.7, 0.7, 0.7]}), baseline="none", primary=[], split="fixed")
    assert found.verdicts == []
    assert found.missing == {"none": [1]}
    assert found.reason == "the baseline none has no number for seed 1"


def test_without_seeds_nothing_is_compared():
    found = compare(pd.DataFrame(index=["none", "good"]), baseline="none", primary=["good"], split="fixed")
    assert (found.verdicts, found.reason) == ([], "the baseline none has no number for any seed")


def test_unknown_names_and_too_large_families_are_refused():
    with pytest.raises(InputError, match="focul; there are none, good, same, bad"):
        compare(table(ROWS), baseline="none", primary=["focul"], split="fixed")
    with pytest.raises(InputError, match="plain"):
        compare(table(ROWS), baseline="plain", primary=[], split="fixed")
    many = {f"s{i}": NONE for i in range(11)}
    with pytest.raises(InputError, match="at most 10"):
        compare(table({"none": NONE, **many}), baseline="none", primary=list(many), split="fixed")


def test_post_hoc_baselines_join_a_family_of_ten_and_are_named_so():
    many = {f"s{i}": GOOD for i in range(13)}
    found = compare(
        table({"none": NONE, **many}),
        baseline="none",
        primary=list(many)[:10],
        post_hoc=list(many)[9:12],
        split="fixed",
    )
    kinds = [each.family for each in found.verdicts]
    assert kinds == [*["primary"] * 10, *["post-hoc"] * 2, "exploratory"]
    p = {each.family: each for each in found.verdicts}
    assert p["post-hoc"].adjusted_p == p["primary"].adjusted_p == pytest.approx(12 * p["post-hoc"].p)


def test_a_strategy_given_twice_is_refused():
    twice = pd.concat([table(ROWS), table({"good": GOOD})])
    with pytest.raises(ValueError, match="once"):
        compare(twice, baseline="none", primary=[], split="fixed")


# How often verdicts are wrong, or not found

TEN = [f"s{i}" for i in range(10)]


def studies(n, count, *, seed, gain=0.0):
    """Studies of ten strategies that share a baseline and hard seeds; the first one gains."""
    rng = np.random.default_rng([seed, n])
    values = rng.normal(0.7, 0.05, (count, 1, n)) + rng.normal(0, 0.01, (count, 11, n))
    values[:, 1] += gain
    return [pd.DataFrame(each, index=["none", *TEN]) for each in values]


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("post_hoc", [0, 3])
def test_without_a_difference_at_most_one_study_in_twenty__verdict(n, post_hoc):
    """Post-hoc baselines belong to the family: a false verdict on any member is as rare with them."""
    families = {"primary": TEN[post_hoc:], "post_hoc": TEN[:post_hoc]}
    found = [compare(each, baseline="none", split="fixed", **families).verdicts for each in studies(n, 1000, seed=1)]
    false = np.mean([any(each.outcome in (BETTER, WORSE) for each in verdicts) for verdicts in found])
    unadjusted = np.mean([any(each.p < 0.05 for each in verdicts) for verdicts in found])
    assert false <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)
    assert unadjusted > 0.2  # so that the line above says something


@pytest.mark.parametrize("n", [5, 10])
def test_the_minimum_detectable_effect_is_found_in_80_of_100_studies(n):
    sd = 0.01 * np.sqrt(2)
    gain = float(minimum_detectable_effect(sd, n, comparisons=10, split="fixed"))
    found = [
        compare(each, baseline="none", primary=TEN, split="fixed").verdicts[0]
        for each in studies(n, 1000, seed=2, gain=gain)
    ]
    assert abs(np.mean([each.outcome == "better" for each in found]) - 0.8) < 0.04


def test_without_a_complete_strategy_there_is_no_verdict():
    holes = table({"none": NONE, "good": [*GOOD[:4], np.nan]})
    found = compare(holes, baseline="none", primary=["good"], split="fixed")
    assert (found.verdicts, found.missing) == ([], {"good": [4]})
