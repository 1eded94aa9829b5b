"""What must be known of a verdict: its cost, who else is better, what the seeds could find, and what is not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bench.evidence import Verdict
from bench.report.page.best import Unbeaten, best_of
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.told import change
from bench.report.page.tuning import at_edge


def caveats(judged: Judged, best: Verdict | None, free: Unbeaten | None) -> Iterator[str]:
    """A sentence each; `best` is the best of the primary family, `free` what it does not beat."""
    if best is not None:
        primary = [each for each in judged.verdicts.values() if each.family == "primary"]
        yield _cost(judged, best) if free is None else f"Step cost: that of {PLAIN}; finished logits are adjusted."
        yield from _others(judged, best, primary)
        yield _counted(judged, primary)
        yield from _undecided(primary)
        yield from _resolution(primary)
        yield from _not_converged(judged, best)
    yield from _unfinished(judged)
    yield from _tuning(judged)
    yield coverage(judged)


def _cost(judged: Judged, best: Verdict) -> str:
    cost, adds = judged.step_cost(best.strategy), judged.outcomes[best.strategy].row.adds
    said = f"Step cost of {best.strategy}: not measured"
    if not np.isnan(cost.ratio):
        rounds = f" ({cost.low:.2f} to {cost.high:.2f} by round)" if cost.high > cost.low else ""
        said = f"Step cost of {best.strategy}: {cost.ratio:.2f} times that of {PLAIN}{rounds}"
    return f"{said}. Adds: {adds}." if adds else f"{said}."


def _others(judged: Judged, best: Verdict, primary: list[Verdict]) -> Iterator[str]:
    """Who else is better, or has the better mean."""
    ordered = sorted(primary, key=lambda each: -judged.gain(each))
    better = [each for each in ordered if each.outcome == "better" and each is not best]
    if better:
        each = ", ".join(f"{other.strategy} {change(other)}" for other in better)
        yield f"Also better than {PLAIN}: {each}. Which of them is best is not tested."
    if ordered[0] is not best:
        yield f"{ordered[0].strategy} has the better mean, {change(ordered[0])}, {ordered[0].outcome}."
    lead = best_of(judged, "exploratory")
    if lead is not None and judged.gain(lead) > judged.gain(best):
        yield f"Exploratory, so only a lead: {lead.strategy} {change(lead)}, {lead.outcome}."


def _counted(judged: Judged, primary: list[Verdict]) -> str:
    counted = Counter(each.outcome for each in primary)
    return (
        f"Primary family of {len(judged.primary)}: "
        + ", ".join(f"{n} {what}" for what, n in counted.most_common())
        + "."
    )


def _undecided(primary: list[Verdict]) -> Iterator[str]:
    """Whose interval and verdict seem to disagree."""
    alone = [
        each.strategy for each in primary if each.outcome == "no detectable difference" and each.low * each.high > 0
    ]
    if alone:
        yield f"0 is outside the interval of {', '.join(alone)}, but p is not below 5% after Holm's adjustment for the family."


def _resolution(primary: list[Verdict]) -> Iterator[str]:
    """What the seeds could have found: the differences of some vary less from seed to seed than those of others."""
    found = sorted((each.smallest_resolvable, each.strategy) for each in primary if each.smallest_resolvable > 0)
    if found:
        (least, steady), (most, shaky) = found[0], found[-1]
        range_ = f"from {least:.3f} ({steady}) to {most:.3f} ({shaky})" if len(found) > 1 else f"of {least:.3f}"
        yield f"Smallest true difference that these {primary[0].n} seeds find with 80% power: {range_}."


def _not_converged(judged: Judged, best: Verdict) -> Iterator[str]:
    """How often the last checkpoint was the best one; rows that share a training count it once."""
    rows = [judged.outcomes[name] for name in (PLAIN, *judged.primary)]
    converged = {record.id: record.converged for row in rows for record in row.records.values()}
    if late := list(converged.values()).count(False):
        of = {name: judged.outcomes[name].not_converged for name in (PLAIN, best.strategy)}
        each = ", ".join(f"{count} of {best.n} of {name}" for name, count in of.items())
        yield f"Not converged, so more steps may change this: {late} of {len(converged)} trainings ({each})."


def _unfinished(judged: Judged) -> Iterator[str]:
    lacking = [
        f"{name} ({len(each.records)} of {len(each.row.trainings)} seeds)"
        for name, each in judged.outcomes.items()
        if each.status == "incomplete"
    ]
    if lacking:
        yield f"No verdict, since not all seeds have finished: {', '.join(lacking)}."


def coverage(judged: Judged) -> str:
    """What the intervals cover."""
    if judged.split == "fixed":
        return "All seeds share one split: intervals cover training seeds, not new text."
    return (
        "Each seed splits the data anew: intervals are widened for the overlap of these splits (Nadeau and Bengio), and cover "
        "seeds and splits of this data set."
    )


def _tuning(judged: Judged) -> Iterator[str]:
    """How many strategies were tuned, where some were: that none was is among the study's notes."""
    tuned = {name: each.row for name, each in judged.outcomes.items() if each.row.setting}
    if tuned:
        edge = [name for name, row in tuned.items() if at_edge(row)]
        beyond = (
            f"; at the edge of their grid, so that a better setting may lie beyond: {', '.join(edge)}" if edge else ""
        )
        yield f"Tuned on validation: {len(tuned)} of {len(judged.outcomes)} strategies{beyond}."
