"""Did it beat free? Every strategy against plain training with what needs no training put behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.evidence import Comparison
from bench.record import RAW
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.part import Part, Table
from bench.report.page.told import change
from bench.report.page.without_training import against, free_remedies, verdicts
from bench.report.text import MISSING, plain, signed

TITLE = "Did it beat free?"


def parts(judged: Judged) -> list[Part]:
    """For each free remedy who beats it, and one table: every strategy against each, and with the same put behind it."""
    free = {adjustment: against(judged, each) for adjustment, each in free_remedies(judged).items()}
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
    found = verdicts(judged)
    told = [f"{PLAIN} + {adjustment} {change(each)}, {each.outcome}" for adjustment, each in found.items()]
    return f"Free, without training: {'; '.join(told)}." if told else ""


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
