"""Did it beat free? Every strategy against plain training with its finished logits adjusted, and with the same behind both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.report.frame import PLAIN
from bench.report.page.judged import FREE, Judged, kind
from bench.report.page.part import Part, Table
from bench.report.page.told import told
from bench.stats import Comparison, Verdict
from bench.text.numbers import MISSING, signed

TITLE = "Did it beat free?"
BEHIND = "both with it"


def parts(judged: Judged) -> list[Part]:
    """For each free remedy who beats it, and one table: every strategy against each, as it is and with the same behind it."""
    free = [name for name in judged.free if name in judged.means]
    compared = {name: (judged.against(judged.values, name), _behind(judged, name)) for name in free}
    rows = [row for name, each in compared.items() for row in _rows(judged, name, *each)]
    about = (
        f"Adjusting the finished logits of {PLAIN} on validation takes no training of its own. Each strategy, as it is, minus "
        f"that, paired over seeds; then, {BEHIND}, the strategy minus {PLAIN} where the same adjustment is behind both. Verdicts "
        "by Holm's adjusted p over the family in each comparison, by p alone for exploratory strategies: with many of them some "
        "are wrong."
    )
    return [
        *([about] if free else []),
        *(said for name, each in compared.items() for said in _said(name, *each)),
        *([Table(rows, judged.name("free"))] if rows else []),
        *_tuned_apart(judged, free),
        *_undefined(judged),
        *_lacking(judged),
    ]


def _tuned_apart(judged: Judged, free: list[str]) -> Iterator[str]:
    """What is free was tuned too, where its trainings are not those of plain training."""
    plain = judged.outcomes[PLAIN].row.runs if PLAIN in judged.outcomes else {}
    apart = [name for name in free if judged.outcomes[name].row.runs != plain]
    if apart:
        yield f"Tuned over settings of their own, so not behind the trainings chosen for {PLAIN}: {', '.join(apart)}."


def _lacking(judged: Judged) -> Iterator[str]:
    """What was not evaluated, and what has not finished."""
    kinds = {kind(judged.outcomes[name].row.adjustment) for name in judged.free}
    if without := [each for each in FREE if each not in kinds]:
        yield f"Not measured: {PLAIN} with {', '.join(without)}."
    if unfinished := [name for name in judged.free if name not in judged.means]:
        yield f"Not all seeds have finished: {', '.join(unfinished)}."


def in_short(judged: Judged) -> str:
    """What is free against plain training itself, in a sentence; empty where it was not evaluated."""
    found = [judged.verdicts[name] for name in judged.free if name in judged.verdicts]
    each = "; ".join(f"{verdict.strategy} {told(verdict)}" for verdict in found)
    return f"Free, finished logits adjusted: {each}." if each else ""


def _behind(judged: Judged, name: str) -> Comparison:
    """Every strategy that the adjustment was planned behind against `none`, all of them under it."""
    adjustment = judged.outcomes[name].row.adjustment
    planned = [
        each for each, outcome in judged.outcomes.items() if outcome.row.post_hoc.get(adjustment, "not planned") is None
    ]
    return judged.against(judged.under(adjustment).loc[planned], PLAIN)


def _said(name: str, as_it_is: Comparison, behind: Comparison) -> Iterator[str]:
    """Who of the family beats a free remedy."""
    yield _counted(f"Better than {name}", as_it_is)
    if any(each.family != "exploratory" for each in behind.verdicts):
        yield _counted(f"With {name} behind both, better than {PLAIN}", behind)
    else:
        yield f"With {name} behind both: not measured."


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
        for adjustment, reason in outcome.row.post_hoc.items():
            if reason is not None:
                found.setdefault((adjustment, reason), []).append(strategy)
    for (adjustment, reason), strategies in found.items():
        yield f"With {adjustment}, not defined ({reason}): {', '.join(strategies)}."
