"""Did it beat free? Every strategy against plain training with what needs no training put behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from bench.evidence import Comparison, Verdict
from bench.record import RAW
from bench.report.frame import Outcome
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.part import Part, Table
from bench.report.page.verdict import change
from bench.report.text import MISSING, plain, signed

TITLE = "Did it beat free?"
_FREE = ("thresholds", "post-hoc-adjustment", "prior-correction")


def parts(judged: Judged) -> list[Part]:
    """For each free remedy who beats it, and one table: every strategy against each, and with the same put behind it."""
    free = {adjustment: _compared(judged, adjustment) for adjustment in _adjustments(judged)}
    if not free:
        return ["Not measured: plain training was evaluated neither with thresholds nor with post-hoc adjustment."]
    return [
        f"Adjusting the finished logits of {PLAIN} on validation takes no training. Each strategy, as it is, against that, "
        "paired over seeds; verdicts by Holm's adjusted p in the primary family of each comparison, by p alone for the others. "
        "The last column is the strategy with the same adjustment behind it.",
        *(_counted(adjustment, comparison) for adjustment, comparison in free.items()),
        Table([row for each in free.items() for row in _rows(judged, *each)], judged.name("free")),
        *_undefined(judged),
    ]


def _counted(adjustment: str, comparison: Comparison) -> str:
    """Who beats a free remedy."""
    outcomes = {each.strategy: each.outcome for each in comparison.verdicts if each.strategy != PLAIN}
    better = [strategy for strategy, outcome in outcomes.items() if outcome == "better"]
    others = Counter(outcome for outcome in outcomes.values() if outcome != "better")
    counted = ", ".join(f"{count} {outcome}" for outcome, count in others.most_common())
    return (
        f"Better than {PLAIN} + {adjustment}: {', '.join(better) or 'no strategy'}{'; ' if counted else ''}{counted}."
    )


def in_short(judged: Judged) -> str:
    """What is free against plain training itself, in a sentence; empty where it was not evaluated."""
    each = _adjustments(judged)
    if not each:
        return ""
    named = {adjustment: judged.under(adjustment).loc[PLAIN] for adjustment in each}
    found = judged.against(pd.DataFrame({PLAIN: judged.values.loc[PLAIN], **named}).T, PLAIN)
    verdicts = {verdict.strategy: _in_family(judged, verdict) or verdict for verdict in found.verdicts}
    told = [f"{PLAIN} + {one} {change(verdicts[one])}, {verdicts[one].outcome}" for one in each if one in verdicts]
    return f"Free, without training: {'; '.join(told)}."


def _in_family(judged: Judged, free: Verdict) -> Verdict | None:
    """The verdict on a row of the study that is just this adjustment of `none`: one thing has one verdict."""
    rows = (name for name, outcome in judged.outcomes.items() if _is_just(outcome, free.strategy))
    return next((judged.verdicts[name] for name in rows if name in judged.verdicts), None)


def _is_just(outcome: Outcome, adjustment: str) -> bool:
    return outcome.row.trained_as == PLAIN and outcome.row.adjustment == adjustment


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
    same = [name for name, outcome in judged.outcomes.items() if _is_just(outcome, adjustment)]
    baseline = judged.under(adjustment).loc[[PLAIN]].set_axis([free])
    return judged.against(pd.concat([judged.values.drop(index=same), baseline]), free)


def _rows(judged: Judged, adjustment: str, comparison: Comparison) -> Iterator[dict[str, str]]:
    """A line a strategy, the best first."""
    verdicts = {each.strategy: each for each in comparison.verdicts}
    own = judged.under(adjustment).mean(axis=1, skipna=False)
    for strategy in judged.means.index:
        if (found := verdicts.get(strategy)) is not None:
            adjusts = judged.outcomes[strategy].row.adjustment != RAW
            yield {
                "strategy": strategy,
                "minus": comparison.baseline,
                "difference": signed(found.difference),
                "low": signed(found.low),
                "high": signed(found.high),
                "verdict": found.outcome,
                "family": found.family,
                judged.objective.name: plain(judged.means[strategy]),
                "with the same behind it": MISSING if adjusts else plain(own[strategy]),
            }


def _undefined(judged: Judged) -> Iterator[str]:
    """What cannot be put behind which strategies, and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for strategy, outcome in judged.outcomes.items():
        for adjustment, reason in outcome.row.free.items():
            if reason is not None:
                found.setdefault((adjustment, reason), []).append(strategy)
    for (adjustment, reason), strategies in found.items():
        yield f"With {adjustment}, not defined ({reason}): {', '.join(strategies)}."
