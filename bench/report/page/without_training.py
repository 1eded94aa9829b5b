"""What is free: plain training with an adjustment of its finished logits, tuned on validation; no training more."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bench.evidence import Comparison, Verdict, compare
from bench.report.page.judged import PLAIN, Judged

ADJUSTMENTS = ("thresholds", "post-hoc-adjustment", "prior-correction")


@dataclass(frozen=True)
class Free:
    """Plain training under one adjustment: one row of the objective by seed."""

    adjustment: str
    values: pd.DataFrame
    row: str = ""
    """The row of the study that is just this, if there is one."""

    @property
    def name(self) -> str:
        """Such as "none + thresholds"."""
        return str(self.values.index[0])


def free_remedies(judged: Judged) -> dict[str, Free]:
    """By adjustment: rows that only adjust `none`, and what `none` itself was evaluated under beside; every seed finished."""
    found = {}
    for name, outcome in judged.outcomes.items():
        adjustment = outcome.row.adjustment
        if outcome.row.trained_as == PLAIN and name in judged.means:
            found[adjustment] = Free(adjustment, _named(judged.values.loc[[name]], adjustment), name)
    if PLAIN in judged.means:
        for adjustment, reason in judged.outcomes[PLAIN].row.free.items():
            values = judged.under(adjustment).loc[[PLAIN]]
            if reason is None and adjustment not in found and values.notna().all(axis=None):
                found[adjustment] = Free(adjustment, _named(values, adjustment))
    return {name: found[name] for name in sorted(found, key=_place) if _place(name) < len(ADJUSTMENTS)}


def _named(values: pd.DataFrame, adjustment: str) -> pd.DataFrame:
    return values.set_axis([f"{PLAIN} + {adjustment}"])


def verdicts(judged: Judged) -> dict[str, Verdict]:
    """Each free remedy against `none`, by adjustment: a family of its own, adjusted by Holm.

    One that is a row of the primary family has the verdict of that row: one thing has one verdict.
    """
    free = free_remedies(judged)
    if not free or PLAIN not in judged.means:
        return {}
    table = pd.concat([judged.values.loc[[PLAIN]], *(each.values for each in free.values())])
    names = [each.name for each in free.values()]
    compared = compare(table, baseline=PLAIN, primary=names, split=judged.split, direction=judged.objective.direction)
    found = {verdict.strategy: verdict for verdict in compared.verdicts}
    return {
        adjustment: judged.verdicts[each.row] if each.row in judged.primary else found[each.name]
        for adjustment, each in free.items()
    }


def against(judged: Judged, free: Free) -> Comparison:
    """Every strategy against a free remedy; a row that is just that has nothing to be compared with."""
    others = judged.values.drop(index=[free.row] if free.row else [])
    return judged.against(pd.concat([others, free.values]), free.name)


def _place(adjustment: str) -> int:
    name = adjustment.partition("(")[0]
    return ADJUSTMENTS.index(name) if name in ADJUSTMENTS else len(ADJUSTMENTS)
