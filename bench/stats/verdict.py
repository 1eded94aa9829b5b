"""Strategies against a baseline on one task: better, worse, no detectable difference, or that the seeds cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.metrics.selection_metric import Direction
from bench.records.record import LARGEST_FAMILY
from bench.stats.complete_table import drop_incomplete
from bench.stats.holm import holm
from bench.stats.paired import Split, paired
from bench.stats.power import ALPHA, minimum_detectable_effect

Outcome = Literal["better", "worse", "no detectable difference", "cannot tell"]
Family = Literal["primary", "free", "exploratory"]


@dataclass(frozen=True)
class Verdict:
    """One strategy against the baseline: the outcome, and all that it rests on.

    Outcomes of the family, primary and free, are by `adjusted_p` and, in this one comparison, together wrong in at most 5% of
    studies without a difference. Those of exploratory strategies are by `p` alone, `adjusted_p` is NaN: with many of them some
    are wrong.
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
    smallest_resolvable: float
    """The true difference that these seeds find with 80% power."""
    n: int
    """Seeds."""
    reason: str = ""
    """Why there is no interval; empty where there is one."""


@dataclass(frozen=True)
class Comparison:
    """The verdicts on one task, primary family first; what has no value at some seed is in `missing` with these seeds."""

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
    free: Sequence[str] = (),
) -> Comparison:
    """Each complete strategy of `table` (strategy x seed) against the baseline.

    The family is what was declared beforehand: `primary`, at most ten strategies, and `free`, what a remedy has to beat; each
    is a row of the table, and counts where it is incomplete too. All others are exploratory. Raises an InputError for names
    that are not rows.

    >>> table = pd.DataFrame([[0.70, 0.71, 0.70], [0.82, 0.84, 0.81]], index=["none", "focal"])
    >>> found = compare(table, baseline="none", primary=["focal"], split="fixed").verdicts[0]
    >>> found.outcome, round(found.difference, 3), round(found.adjusted_p, 3)
    ('better', 0.12, 0.002)
    """
    kinds: dict[str, Family] = {**dict.fromkeys(free, "free"), **dict.fromkeys(primary, "primary")}
    family = [name for name in dict.fromkeys([*primary, *free]) if name != baseline]
    _check(table, baseline, family, sum(kinds[name] == "primary" for name in family))
    block, seeds = drop_incomplete(table), [int(seed) for seed in table.columns]
    if not seeds or baseline in block.missing:
        lacking = "seed " + ", ".join(map(str, block.missing[baseline])) if seeds else "any seed"
        return Comparison(baseline, seeds, [], block.missing, f"the baseline {baseline} has no number for {lacking}")
    tested = _tested(block.values, baseline, family, split)
    return Comparison(baseline, seeds, list(_judged(tested, kinds, len(seeds), direction)), block.missing)


def _check(table: pd.DataFrame, baseline: str, family: Sequence[str], primary: int) -> None:
    if unknown := [name for name in [baseline, *family] if name not in table.index]:
        rows = ", ".join(map(str, table.index))
        raise InputError(f"to be compared, but not among the strategies: {', '.join(unknown)}; there are {rows}")
    if primary > LARGEST_FAMILY:
        raise InputError(
            f"a primary family has at most {LARGEST_FAMILY} strategies beside the baseline; given: {primary}; "
            "declare those that the question is about, the others are explored"
        )


def _tested(values: pd.DataFrame, baseline: str, family: list[str], split: Split) -> pd.DataFrame:
    """One line a strategy, the family first: difference, interval, p values, and what could be resolved."""
    names = [name for name in dict.fromkeys([*family, *values.index]) if name in values.index and name != baseline]
    found = paired(values.loc[names], values.loc[baseline], split=split)
    comparisons = [len(family) if name in family else 1 for name in names]
    columns = {name: getattr(found, name) for name in ("difference", "low", "high", "p")}
    smallest = minimum_detectable_effect(found.sd, found.n, comparisons=comparisons, split=split)
    tested = pd.DataFrame({**columns, "smallest_resolvable": smallest}, index=names)
    adjusted = pd.Series(holm(tested["p"].reindex(family)), family)
    return tested.assign(adjusted_p=adjusted.reindex(tested.index))  # an empty frame would take the family's index


def _judged(tested: pd.DataFrame, kinds: dict[str, Family], n: int, direction: Direction) -> Iterator[Verdict]:
    rows: dict[Any, Any] = tested.to_dict("index")
    for name, row in rows.items():
        family = kinds.get(name, "exploratory")
        gain = row["difference"] if direction == "up" else -row["difference"]
        outcome = _outcome(row["p"] if family == "exploratory" else row["adjusted_p"], gain)
        reason = _no_interval(n) if np.isnan(row["low"]) else ""
        yield Verdict(name, family, outcome, **row, n=n, reason=reason)


def _outcome(p: float, gain: float) -> Outcome:
    if np.isnan(p):
        return "cannot tell"
    if p >= ALPHA:
        return "no detectable difference"
    return "better" if gain > 0 else "worse"


def _no_interval(n: int) -> str:
    return "one seed cannot tell" if n == 1 else "the difference is the same at every seed: no spread to test against"
