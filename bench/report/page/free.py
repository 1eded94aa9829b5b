"""Did it beat free? Every strategy against plain training with its finished logits adjusted, and with the same behind both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.evidence import Comparison, Verdict
from bench.record import RAW
from bench.report.frame import PLAIN
from bench.report.page.judged import FREE, Judged
from bench.report.page.part import Part, Table
from bench.report.page.told import told
from bench.report.text import MISSING, signed

TITLE = "Did it beat free?"
BEHIND = "both with it"


def parts(judged: Judged) -> list[Part]:
    """For each free remedy who beats it, and one table: every strategy against each, as it is and with the same behind it."""
    free = [name for name in judged.means.index if judged.is_free(str(name))]
    lacking = [each for each in FREE if each not in {kind_of(judged, name) for name in free}]
    if not free:
        return [f"Not measured: plain training was not evaluated with {', '.join(lacking)}."]
    compared = {name: (judged.against(judged.values, name), _behind(judged, name)) for name in free}
    rows = [row for name, each in compared.items() for row in _rows(judged, name, *each)]
    return [
        f"Adjusting the finished logits of {PLAIN} on validation takes no training. Each strategy, as it is, minus that, paired "
        f"over seeds; then, {BEHIND}, the strategy minus {PLAIN} where the same adjustment is behind both. Verdicts by Holm's "
        "adjusted p over the family in each comparison, by p alone for exploratory strategies: with many of them some are wrong.",
        *(said for name, each in compared.items() for said in _said(name, *each)),
        *([Table(rows, judged.name("free"))] if rows else []),
        *_undefined(judged),
        *([f"Not measured: {PLAIN} with {', '.join(lacking)}."] if lacking else []),
    ]


def kind_of(judged: Judged, name: str) -> str:
    """Which of what is free a row is."""
    return judged.outcomes[name].row.adjustment.partition("(")[0]


def in_short(judged: Judged) -> str:
    """What is free against plain training itself, in a sentence; empty where it was not evaluated."""
    found = [judged.verdicts[name] for name in judged.free if name in judged.verdicts]
    each = "; ".join(f"{verdict.strategy} {told(verdict)}" for verdict in found)
    return f"Free, without training: {each}." if each else ""


def _behind(judged: Judged, name: str) -> Comparison:
    """Every strategy that adjusts nothing itself against `none`, all of them under the adjustment of a free one."""
    values = judged.under(judged.outcomes[name].row.adjustment)
    raw = [strategy for strategy in values.index if judged.outcomes[strategy].row.adjustment == RAW]
    return judged.against(values.loc[raw].dropna(), PLAIN)


def _said(name: str, as_it_is: Comparison, behind: Comparison) -> Iterator[str]:
    """Who of the family beats a free remedy."""
    yield _counted(f"Better than {name}", as_it_is)
    if any(each.family != "exploratory" for each in behind.verdicts):
        yield _counted(f"With {name} behind both, better than {PLAIN}", behind)


def _counted(what: str, comparison: Comparison) -> str:
    outcomes = {each.strategy: each.outcome for each in comparison.verdicts if each.family != "exploratory"}
    better = [strategy for strategy, outcome in outcomes.items() if outcome == "better"]
    others = Counter(outcome for outcome in outcomes.values() if outcome != "better")
    counted = ", ".join(f"{count} {outcome}" for outcome, count in others.most_common())
    return f"{what}: {', '.join(better) or 'no remedy of the family'}{'; ' if counted else ''}{counted}."


def _rows(judged: Judged, name: str, as_it_is: Comparison, behind: Comparison) -> Iterator[dict[str, str]]:
    """A line a strategy, the best first; that of `none` itself is in the ranking."""
    verdicts = {each.strategy: each for each in as_it_is.verdicts}
    with_it = {each.strategy: each for each in behind.verdicts}
    for strategy in judged.means.index:
        if strategy != PLAIN and (found := verdicts.get(strategy)) is not None:
            yield {
                "strategy": strategy,
                "free": name,
                **_cells("", found),
                **_cells(f"{BEHIND}: ", with_it.get(strategy)),
            }


def _cells(prefix: str, verdict: Verdict | None) -> dict[str, str]:
    if verdict is None:
        return {f"{prefix}{column}": MISSING for column in ("difference", "low", "high", "verdict")}
    exploratory = " (exploratory)" if verdict.family == "exploratory" else ""
    return {
        f"{prefix}difference": signed(verdict.difference),
        f"{prefix}low": signed(verdict.low),
        f"{prefix}high": signed(verdict.high),
        f"{prefix}verdict": f"{verdict.outcome}{exploratory}",
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
