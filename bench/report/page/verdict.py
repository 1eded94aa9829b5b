"""The first screen: for each task which remedy to use, how sure that is, what it costs, and what must be known of the run."""

from __future__ import annotations

from dataclasses import dataclass

from bench.evidence import Verdict
from bench.report.frame import PLAIN
from bench.report.page.beside import disagreement, side_by_side
from bench.report.page.best import Choice, choice
from bench.report.page.caveats import caveats
from bench.report.page.judged import Judged
from bench.report.page.told import change, told

FEWEST_SEEDS = 3
"""That can tell that nothing is to be gained."""


@dataclass(frozen=True)
class Card:
    """What is said of one task."""

    anchor: str
    task: str
    outcome: str
    """Of the strategy that is spoken of: what colours the card."""
    advice: str
    """What to use, in a few words."""
    headline: str
    """The numbers behind it."""
    sentences: list[str]
    columns: list[str]
    measures: list[list[str]]
    disagreement: str
    notes: list[str]


def card(judged: Judged, free: str, new_text: str, warning: str) -> Card:
    """The verdict on one task.

    `free` says what needs no training, `new_text` what other test sentences would change, `warning` what was tuned for another
    objective.
    """
    chosen = choice(judged)
    columns, measures = side_by_side(judged, chosen)
    return Card(
        judged.anchor,
        judged.facts.task,
        _outcome(chosen),
        _advice(chosen),
        _headline(judged, chosen),
        [*caveats(judged, chosen), *filter(None, [new_text, free])],
        columns,
        measures,
        disagreement(judged),
        [*judged.facts.notes, *filter(None, [warning])],
    )


def _outcome(chosen: Choice | None) -> str:
    """Fewer than three seeds tell next to nothing, unless they tell that a strategy is better."""
    if chosen is None or (chosen.verdict.n < FEWEST_SEEDS and chosen.verdict.outcome != "better"):
        return "cannot tell"
    return chosen.verdict.outcome


def _advice(chosen: Choice | None) -> str:
    outcome = _outcome(chosen)
    if chosen is None or outcome == "cannot tell":
        return "Cannot tell."
    return f"Use {chosen.verdict.strategy}." if outcome == "better" else f"Keep plain training ({PLAIN})."


def _headline(judged: Judged, chosen: Choice | None) -> str:
    if chosen is None:
        return judged.comparison.reason or "No remedy has finished all its seeds."
    best, means = chosen.verdict, judged.means
    level = f"{judged.objective.name} {means[best.strategy]:.3f} against {means[PLAIN]:.3f} of {PLAIN}, {change(best)}"
    if best.outcome == "better":
        return f"Better than {PLAIN}{_for_nothing(judged, best)}: {level}.{_weighed(judged, chosen)}"
    if best.outcome == "cannot tell":
        return f"{best.reason[0].upper()}{best.reason[1:]}. The best, {best.strategy}: {level}."
    if all(each.outcome == "worse" for each in judged.family):
        return f"Every remedy is worse. The least bad, {best.strategy}: {level}."
    few = f" with {best.n} seeds" if best.n < FEWEST_SEEDS else ""
    return f"No remedy is detectably better{few}. The best, {best.strategy}: {level}."


def _for_nothing(judged: Judged, best: Verdict) -> str:
    return ", and takes no training" if judged.is_free(best.strategy) else ""


def _weighed(judged: Judged, chosen: Choice) -> str:
    """What is free and what is trained, one against the other."""
    if chosen.against is None:
        return ""
    if judged.is_free(chosen.other):
        return f" It beats {chosen.other} too, which takes no training: {change(chosen.against)}."
    return f" The best remedy that is trained, {chosen.other}, against it: {told(chosen.against)}."
