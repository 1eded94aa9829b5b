"""Did it beat free? Every strategy against plain training with what needs no training put behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bench.evidence import Comparison
from bench.record import RAW
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.part import Part, Table
from bench.report.page.verdict import interval
from bench.report.text import MISSING, plain, signed

TITLE = "Did it beat free?"
_FREE = ("thresholds", "post-hoc-adjustment", "prior-correction")


def parts(judged: Judged) -> list[Part]:
    """One table: paired differences to each free remedy, and every strategy with the same put behind it."""
    free = {adjustment: _compared(judged, adjustment) for adjustment in _adjustments(judged)}
    if not free:
        return ["Not measured: plain training was evaluated neither with thresholds nor with post-hoc adjustment."]
    own = {adjustment: judged.under(adjustment).mean(axis=1, skipna=False) for adjustment in free}
    rows = [_row(judged, strategy, free, own) for strategy in judged.means.index]
    return [
        f"Adjusting the finished logits of {PLAIN} on validation takes no training. Each strategy, as it is, minus "
        f"{' and '.join(f'{PLAIN} + {each}' for each in free)}, paired over seeds; verdicts by Holm's adjusted p in the "
        "primary family of each comparison. The last columns are the strategy with the same adjustment behind it.",
        Table(rows, judged.name("free")),
        *_undefined(judged),
    ]


def in_short(judged: Judged) -> str:
    """What is free against plain training itself, in a sentence; empty where it was not evaluated."""
    each = _adjustments(judged)
    if not each:
        return ""
    named = {f"{PLAIN} + {adjustment}": judged.under(adjustment).loc[PLAIN] for adjustment in each}
    found = judged.against(pd.DataFrame({PLAIN: judged.values.loc[PLAIN], **named}).T, PLAIN)
    told = [
        f"{verdict.strategy} {signed(verdict.difference)} {interval(verdict)}, {verdict.outcome}"
        for verdict in found.verdicts
    ]
    return f"Free, without training, against {PLAIN} (exploratory): {'; '.join(told)}."


def _adjustments(judged: Judged) -> list[str]:
    """The free adjustments that plain training was evaluated under at every seed."""
    outcome = judged.outcomes.get(PLAIN)
    if outcome is None or outcome.status != "complete":
        return []
    held = [{each.adjustment for each in record.evaluations} for record in outcome.records.values()]
    common = sorted(set.intersection(*held) - {RAW}, key=lambda each: (_place(each), each))
    return [each for each in common if _place(each) < len(_FREE)]


def _place(adjustment: str) -> int:
    name = adjustment.partition("(")[0]
    return _FREE.index(name) if name in _FREE else len(_FREE)


def _compared(judged: Judged, adjustment: str) -> Comparison:
    """Every strategy against `none` under the adjustment; a row that is just that has nothing to be compared with."""
    free = f"{PLAIN} + {adjustment}"
    same = [
        name
        for name, outcome in judged.outcomes.items()
        if outcome.row.trained_as == PLAIN and outcome.row.adjustment == adjustment
    ]
    baseline = judged.under(adjustment).loc[[PLAIN]].set_axis([free])
    return judged.against(pd.concat([judged.values.drop(index=same), baseline]), free)


def _row(
    judged: Judged, strategy: str, free: dict[str, Comparison], own: dict[str, pd.Series[float]]
) -> dict[str, str]:
    row = {"strategy": strategy, judged.objective.name: plain(judged.means[strategy])}
    for adjustment, comparison in free.items():
        found = next((each for each in comparison.verdicts if each.strategy == strategy), None)
        beside = f"minus {PLAIN} + {adjustment}"
        row[beside] = signed(found.difference) if found else MISSING
        row[f"{beside}: interval"] = interval(found) if found else MISSING
        row[f"{beside}: verdict"] = found.outcome if found else "the same"
    for adjustment, values in own.items():
        outcome = judged.outcomes[strategy]
        adjusts = outcome.row.adjustment != RAW
        row[f"with {adjustment}"] = MISSING if adjusts else plain(values[strategy])
    return row


def _undefined(judged: Judged) -> Iterator[str]:
    """What cannot be put behind which strategies, and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for strategy, outcome in judged.outcomes.items():
        for adjustment, reason in outcome.row.free.items():
            if reason is not None:
                found.setdefault((adjustment, reason), []).append(strategy)
    for (adjustment, reason), strategies in found.items():
        yield f"With {adjustment}, not defined ({reason}): {', '.join(strategies)}."
