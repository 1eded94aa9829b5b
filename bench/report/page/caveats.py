"""What must be known of a verdict: its cost, who else is better, what the seeds could find, and what is not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bench.report.frame import PLAIN
from bench.report.page.best import Choice, most
from bench.report.page.judged import Judged
from bench.report.page.told import change, taken_back, told
from bench.report.page.tuning import at_edge, is_tuned
from bench.stats import Verdict, spread_factors


def caveats(judged: Judged, chosen: Choice | None) -> Iterator[str]:
    """A sentence each."""
    if chosen is not None:
        best = chosen.verdict
        yield _cost(judged, best)
        yield from _others(judged, best)
        yield from _lead(judged, best)
        yield _counted(judged)
        yield from _undecided(judged)
        yield from _resolution(best)
        yield from _not_converged(judged, best)
    else:
        yield from _lead(judged, None)
    yield from _unfinished(judged)
    yield from _tuning(judged)
    yield coverage(judged)


def _cost(judged: Judged, best: Verdict) -> str:
    cost, adds = judged.step_cost(best.strategy), judged.outcomes[best.strategy].row.extra_cost
    said = f"Step cost of {best.strategy}: not measured"
    if not np.isnan(cost.ratio):
        rounds = f" ({cost.low:.2f} to {cost.high:.2f} by round)" if cost.high > cost.low else ""
        said = f"Step cost of {best.strategy}: {cost.ratio:.2f} times that of {PLAIN}{rounds}"
    return f"{said}. Adds: {adds}." if adds else f"{said}."


def _others(judged: Judged, best: Verdict) -> Iterator[str]:
    """Who else is better, or has a better mean."""
    ordered = sorted(judged.family, key=lambda each: -judged.gain(each))
    better = [f"{each.strategy} {change(each)}" for each in ordered if each.outcome == "better" and each is not best]
    if better:
        yield f"Also better than {PLAIN}: {', '.join(better)}."
    above = [each for each in ordered if each.outcome != "better" and judged.gain(each) > judged.gain(best)]
    if above:
        means = "; ".join(f"{each.strategy} {told(each)}" for each in above)
        yield f"With a better mean: {means}."


def _lead(judged: Judged, best: Verdict | None) -> Iterator[str]:
    """The exploratory strategy that gains most, where it gains more than what is spoken of."""
    lead = most(judged, [each for each in judged.verdicts.values() if each.family == "exploratory"])
    if lead is not None and (best is None or judged.gain(lead) > judged.gain(best)):
        yield f"Exploratory, so only a lead: {lead.strategy} {change(lead)}, {lead.outcome}."


def _counted(judged: Judged) -> str:
    """Of all that Holm's adjustment counts."""
    family = {*judged.primary, *judged.free}
    counted = Counter(each.outcome for each in judged.family)
    lacking = len(family) - len(judged.family)
    said = [f"{n} {what}" for what, n in counted.most_common()] + ([f"{lacking} not finished"] if lacking else [])
    free = f" ({len(judged.free)} of them free)" if judged.free else ""
    return f"Of {len(family)} remedies{free}: {', '.join(said)}."


def _undecided(judged: Judged) -> Iterator[str]:
    """Whose interval and verdict seem to disagree."""
    alone = [each.strategy for each in judged.family if taken_back(each)]
    if alone:
        yield f"0 is outside the interval of {', '.join(alone)}, but p is not below 5% after Holm's adjustment."


def _resolution(best: Verdict) -> Iterator[str]:
    """What the seeds could have found; it rests on a spread that few seeds tell roughly."""
    if best.minimum_detectable_effect > 0:
        low, high = (factor * best.minimum_detectable_effect for factor in spread_factors(best.n))
        yield (
            f"{best.n} seeds find with 80% power a true difference of about {best.minimum_detectable_effect:.3f} "
            f"(90% interval {low:.3f} to {high:.3f}) for {best.strategy}."
        )


def _not_converged(judged: Judged, best: Verdict) -> Iterator[str]:
    """How often the last checkpoint was the best one; rows that share a training count it once."""
    rows = [judged.outcomes[name] for name in (PLAIN, *(each.strategy for each in judged.family))]
    converged = {record.id: record.converged for row in rows for record in row.records.values()}
    if late := list(converged.values()).count(False):
        of = {name: judged.outcomes[name].not_converged for name in (PLAIN, best.strategy)}
        each = ", ".join(f"{count} of {best.n} of {name}" for name, count in of.items())
        yield f"Not converged, so more steps may change this: {late} of {len(converged)} trainings ({each})."


def _unfinished(judged: Judged) -> Iterator[str]:
    lacking = [
        f"{name} ({each.finished} seeds)" for name, each in judged.outcomes.items() if each.status == "incomplete"
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
    planned = [row for row in judged.results.study.strategies if row.task == judged.facts.task and row.skipped is None]
    tuned = [row for row in planned if is_tuned(row)]
    if tuned:
        edge = [row.strategy for row in tuned if at_edge(row)]
        beyond = (
            f"; at the edge of their grid, so that a better setting may lie beyond: {', '.join(edge)}" if edge else ""
        )
        yield f"Tuned on validation: {len(tuned)} of {len(planned)} strategies{beyond}."
