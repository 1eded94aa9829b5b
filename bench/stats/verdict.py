"""Strategies against the baseline on one task: better, worse, not significant, or too few seeds to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.metrics.metric import Direction
from bench.records.record import LARGEST_FAMILY
from bench.stats.complete_table import drop_incomplete
from bench.stats.holm import holm
from bench.stats.paired_difference import Split, compare_pairs
from bench.stats.power import ALPHA, minimum_detectable_effect

Outcome = Literal["better", "worse", "not significant", "too few seeds"]
BETTER: Final = "better"
WORSE: Final = "worse"
NOT_SIGNIFICANT: Final = "not significant"
TOO_FEW_SEEDS: Final = "too few seeds"
"""There is no p value: one seed, or the same difference at every seed (see `Verdict.reason`)."""

Family = Literal["primary", "post-hoc", "exploratory"]


@dataclass(frozen=True)
class Verdict:
    """One strategy against the baseline: the outcome, and the numbers behind it.

    Outcomes of the family, primary and post-hoc, follow from `adjusted_p`: in this comparison, the chance of any false verdict
    in the family is at most 5%. Those of exploratory strategies follow from `p` alone, and `adjusted_p` is NaN: among many of
    them, expect some false ones.
    """

    strategy: str
    family: Family
    outcome: Outcome
    difference: float
    """Mean over seeds, strategy minus baseline."""
    low: float
    high: float
    """95% interval of this difference alone, not adjusted for the family; NaN where there is none."""
    p: float
    adjusted_p: float
    minimum_detectable_effect: float
    """The true difference that these seeds find with 80% power."""
    n: int
    """Number of seeds."""
    reason: str = ""
    """Why there is no interval; empty where there is one."""


@dataclass(frozen=True)
class Comparison:
    """The verdicts on one task, primary family first; strategies that lack seeds are in `missing` with these seeds."""

    baseline: str
    seeds: list[int]
    verdicts: list[Verdict]
    missing: dict[str, list[int]]
    reason: str = ""
    """Why nothing could be compared; empty where something was."""


def compare(
    table: pd.DataFrame,
    *,
    baseline: str,
    primary: Sequence[str],
    split: Split,
    direction: Direction = "up",
    post_hoc: Sequence[str] = (),
) -> Comparison:
    """Compare each complete strategy of `table` (strategy x seed) with the baseline.

    The family was declared beforehand: `primary`, at most ten strategies, and `post_hoc`, the post-hoc baselines that a remedy
    has to beat. Each is a row of the table, and counts in the family even where it is incomplete. All other strategies are
    exploratory. Raises an InputError for names that are not rows.

    >>> table = pd.DataFrame([[0.70, 0.71, 0.70], [0.82, 0.84, 0.81]], index=["none", "focal"])
    >>> verdict = compare(table, baseline="none", primary=["focal"], split="fixed").verdicts[0]
    >>> verdict.outcome, round(verdict.difference, 3), round(verdict.adjusted_p, 3)
    ('better', 0.12, 0.002)
    """
    families: dict[str, Family] = {**dict.fromkeys(post_hoc, "post-hoc"), **dict.fromkeys(primary, "primary")}
    family = [name for name in dict.fromkeys([*primary, *post_hoc]) if name != baseline]
    _check(table, baseline, family, sum(families[name] == "primary" for name in family))
    complete, seeds = drop_incomplete(table), [int(seed) for seed in table.columns]
    if not seeds or baseline in complete.missing:
        lacking = "seed " + ", ".join(map(str, complete.missing[baseline])) if seeds else "any seed"
        return Comparison(baseline, seeds, [], complete.missing, f"the baseline {baseline} has no number for {lacking}")
    tests = _test_all(complete.values, baseline, family, split)
    return Comparison(baseline, seeds, list(_verdicts(tests, families, len(seeds), direction)), complete.missing)


def _check(table: pd.DataFrame, baseline: str, family: Sequence[str], primary: int) -> None:
    if unknown := [name for name in [baseline, *family] if name not in table.index]:
        rows = ", ".join(map(str, table.index))
        raise InputError(f"to be compared, but not among the strategies: {', '.join(unknown)}; there are {rows}")
    if primary > LARGEST_FAMILY:
        raise InputError(
            f"a primary family has at most {LARGEST_FAMILY} strategies next to the baseline; given: {primary}; "
            "declare those that the question is about, the others are exploratory"
        )


def _test_all(values: pd.DataFrame, baseline: str, family: list[str], split: Split) -> pd.DataFrame:
    """Return one row per strategy, the family first: difference, interval, p values, minimum detectable effect."""
    names = [name for name in dict.fromkeys([*family, *values.index]) if name in values.index and name != baseline]
    differences = compare_pairs(values.loc[names], values.loc[baseline], split=split)
    comparisons = [len(family) if name in family else 1 for name in names]
    columns = {name: getattr(differences, name) for name in ("difference", "low", "high", "p")}
    effect = minimum_detectable_effect(differences.sd, differences.n, comparisons=comparisons, split=split)
    tests = pd.DataFrame({**columns, "minimum_detectable_effect": effect}, index=names)
    # An incomplete member of the family has no p value, but it counts in Holm's adjustment.
    adjusted = pd.Series(holm(tests["p"].reindex(family)), family)
    return tests.assign(adjusted_p=adjusted.reindex(tests.index))  # an empty frame would take the family's index


def _verdicts(tests: pd.DataFrame, families: dict[str, Family], n: int, direction: Direction) -> Iterator[Verdict]:
    rows: dict[Any, Any] = tests.to_dict("index")
    for name, row in rows.items():
        family = families.get(name, "exploratory")
        gain = row["difference"] if direction == "up" else -row["difference"]
        outcome = _outcome(row["p"] if family == "exploratory" else row["adjusted_p"], gain)
        reason = _why_no_interval(n) if np.isnan(row["low"]) else ""
        yield Verdict(name, family, outcome, **row, n=n, reason=reason)


def _outcome(p: float, gain: float) -> Outcome:
    if np.isnan(p):
        return TOO_FEW_SEEDS
    if p >= ALPHA:
        return NOT_SIGNIFICANT
    return BETTER if gain > 0 else WORSE


def _why_no_interval(n: int) -> str:
    return "there is one seed" if n == 1 else "the difference is the same at every seed: no spread to test against"
