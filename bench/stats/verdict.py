"""Strategies against the baseline on one task: for each an outcome, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.metrics.metric import Direction
from bench.records.record import LARGEST_FAMILY
from bench.stats.complete_table import drop_incomplete
from bench.stats.hochberg import hochberg
from bench.stats.holm import holm
from bench.stats.outcome import DEFAULT_MARGIN, FEWEST_SEEDS, INCONCLUSIVE, Outcome, decide_outcome, is_within_margin
from bench.stats.paired_difference import Split, compare_pairs
from bench.stats.power import minimum_detectable_effect

Family = Literal["primary", "post-hoc", "exploratory"]


@dataclass(frozen=True)
class Verdict:
    """One strategy against the baseline: the outcome, and the numbers behind it.

    Outcomes of the family, primary and post-hoc, follow from `adjusted_p` and the adjusted `equivalence_p`: in this comparison,
    the chance of any false "better" or "worse" in the family is at most 5%, and so is that of any false "equivalent". Those of
    exploratory strategies follow from p values of their own, and `adjusted_p` is NaN: among many of them, expect some false ones.
    """

    strategy: str
    family: Family
    outcome: Outcome
    difference: float
    """Mean over seeds, strategy minus baseline."""
    sd: float
    """Standard deviation of the paired differences over seeds."""
    low: float
    high: float
    """95% interval of this difference alone, not adjusted for the family; NaN where there is none."""
    p: float
    adjusted_p: float
    """Adjusted for the family by Holm."""
    equivalence_p: float
    """Of the two one-sided tests against the margin, adjusted for the family by Hochberg."""
    margin: float
    """Differences below this do not matter."""
    minimum_detectable_effect: float
    """The true difference that these seeds find with 80% power."""
    n: int
    """Number of seeds."""
    reason: str = ""
    """Why there are too few seeds, or no interval; empty where there are enough and there is one."""

    @property
    def is_within_margin(self) -> bool:
        """Whether the whole interval lies within the margin, so that the difference is too small to matter."""
        return is_within_margin(self.difference, (self.low, self.high), self.margin)

    @property
    def is_overruled_by_holm(self) -> bool:
        """Whether the interval excludes 0, but not after the correction for the family."""
        return self.outcome == INCONCLUSIVE and self.low * self.high > 0


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
    margin: float = DEFAULT_MARGIN,
    post_hoc: Sequence[str] = (),
) -> Comparison:
    """Compare each complete strategy of `table` (strategy x seed) with the baseline.

    The family was declared beforehand: `primary`, at most ten strategies, and `post_hoc`, the post-hoc baselines that a remedy
    has to beat. Each is a row of the table, and counts in the family even where it is incomplete. All other strategies are
    exploratory. `margin`, above 0 and in the unit of the table, is the difference that is too small to matter, in either
    direction. Raises an InputError for names that are not rows.

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
    tests = _test_all(complete.values, baseline, family, split, margin)
    verdicts = list(_verdicts(tests, families, len(seeds), direction, margin))
    return Comparison(baseline, seeds, verdicts, complete.missing)


def _check(table: pd.DataFrame, baseline: str, family: Sequence[str], primary: int) -> None:
    if unknown := [name for name in [baseline, *family] if name not in table.index]:
        rows = ", ".join(map(str, table.index))
        raise InputError(f"to be compared, but not among the strategies: {', '.join(unknown)}; there are {rows}")
    if primary > LARGEST_FAMILY:
        raise InputError(
            f"a primary family has at most {LARGEST_FAMILY} strategies next to the baseline; given: {primary}; "
            "declare those that the question is about, the others are exploratory"
        )


def _test_all(values: pd.DataFrame, baseline: str, family: list[str], split: Split, margin: float) -> pd.DataFrame:
    """Return one row per strategy, the family first: difference, interval, p values, minimum detectable effect."""
    names = [name for name in dict.fromkeys([*family, *values.index]) if name in values.index and name != baseline]
    differences = compare_pairs(values.loc[names], values.loc[baseline], split=split)
    comparisons = [len(family) if name in family else 1 for name in names]
    columns = {name: getattr(differences, name) for name in ("difference", "sd", "low", "high", "p")}
    effect = minimum_detectable_effect(differences.sd, differences.n, comparisons=comparisons, split=split)
    tests = pd.DataFrame({**columns, "minimum_detectable_effect": effect}, index=names)
    own_equivalence_p = pd.Series(differences.equivalence_p(margin), names)
    # An incomplete member of the family has no p value, but it counts in the adjustments.
    adjusted = pd.Series(holm(tests["p"].reindex(family)), family)
    equivalence_p = pd.Series(hochberg(own_equivalence_p.reindex(family)), family)
    return tests.assign(  # reindexed, because an empty frame would take the family's index
        adjusted_p=adjusted.reindex(tests.index),
        equivalence_p=equivalence_p.reindex(tests.index).where(tests.index.isin(family), own_equivalence_p),
    )


def _verdicts(
    tests: pd.DataFrame, families: dict[str, Family], n: int, direction: Direction, margin: float
) -> Iterator[Verdict]:
    rows: dict[Any, Any] = tests.to_dict("index")
    for name, row in rows.items():
        family = families.get(name, "exploratory")
        outcome = decide_outcome(
            row["difference"] if direction == "up" else -row["difference"],
            p=row["p"] if family == "exploratory" else row["adjusted_p"],
            equivalence_p=row["equivalence_p"],
            interval=(row["low"], row["high"]),
            margin=margin,
            n=n,
        )
        yield Verdict(name, family, outcome, **row, margin=margin, n=n, reason=_why_not_tested(n, row["low"]))


def _why_not_tested(n: int, low: float) -> str:
    if n == 1:
        return f"there is one seed, and at least {FEWEST_SEEDS} are needed"
    if n < FEWEST_SEEDS:
        return f"there are {n} seeds, and at least {FEWEST_SEEDS} are needed"
    return "the difference is the same at every seed: no spread to test against" if np.isnan(low) else ""
