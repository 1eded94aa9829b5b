"""The first screen: for each task which remedy to use, how sure that is, what it costs, and what must be known of the run."""

from __future__ import annotations

from dataclasses import dataclass

from bench.report.frame import PLAIN
from bench.report.page.beside import disagreement, side_by_side
from bench.report.page.best import Choice
from bench.report.page.caveats import caveats
from bench.report.page.judged import Judged
from bench.report.page.told import change, sentence, taken_back, told
from bench.stats import NOT_SIGNIFICANT, TOO_FEW_SEEDS

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
    chosen = judged.chosen
    outcome = _outcome(judged, chosen)
    columns, measures = side_by_side(judged, chosen)
    return Card(
        judged.anchor,
        judged.facts.task,
        outcome,
        _advice(chosen, outcome),
        _headline(judged, chosen),
        [*caveats(judged, chosen), *filter(None, [new_text, free])],
        columns,
        measures,
        disagreement(judged),
        [*judged.facts.notes, *filter(None, [warning])],
    )


def _outcome(judged: Judged, chosen: Choice | None) -> str:
    """What is free and better than a remedy that is better than `none` is better; few seeds cannot tell that nothing is."""
    if chosen is None:
        return TOO_FEW_SEEDS
    best, against = chosen.verdict, chosen.against
    if against is not None and against.outcome == "worse" and judged.is_free(best.strategy):
        return "better"
    if best.outcome == NOT_SIGNIFICANT and best.n < FEWEST_SEEDS:
        return TOO_FEW_SEEDS
    return best.outcome


def _advice(chosen: Choice | None, outcome: str) -> str:
    if chosen is None or outcome == TOO_FEW_SEEDS:
        return "Cannot tell."
    return f"Use {chosen.verdict.strategy}." if outcome == "better" else f"Keep plain training ({PLAIN})."


def _headline(judged: Judged, chosen: Choice | None) -> str:
    if chosen is None:
        return sentence(judged.comparison.reason or "no remedy of the family has finished all its seeds")
    best, means = chosen.verdict, judged.means
    level = f"{judged.metric.name} {means[best.strategy]:.3f} against {means[PLAIN]:.3f} of {PLAIN}, {change(best)}"
    if best.outcome == "better" or chosen.against is not None:
        by = " by adjusting finished logits alone" if judged.is_free(best.strategy) else ""
        how = "Better" if best.outcome == "better" else "Not detectably better"
        return f"{how} than {PLAIN}{by}: {level}.{_weighed(judged, chosen)}"
    if best.outcome == TOO_FEW_SEEDS:
        return f"{sentence(best.reason)} The best, {best.strategy}: {level}."
    if all(each.outcome == "worse" for each in judged.family):
        return f"Every remedy is worse. The least bad, {best.strategy}: {level}."
    few = f" with {best.n} seeds" if best.n < FEWEST_SEEDS else ""
    holm = " after Holm's adjustment" if taken_back(best) else ""
    return f"No remedy is detectably better{holm}{few}. The best, {best.strategy}: {level}."


def _weighed(judged: Judged, chosen: Choice) -> str:
    """What is trained against what is free."""
    if chosen.against is None:
        return ""
    if judged.is_free(chosen.other):
        return f" Against {chosen.other}, which only adjusts finished logits: {told(chosen.against)}."
    return f" Of the trained remedies that are better than {PLAIN} the best, {chosen.other}, against it: {told(chosen.against)}."
