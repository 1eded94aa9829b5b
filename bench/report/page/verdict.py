"""The first screen: for each task which remedy to use, how sure that is, what it costs, and what must be known of the run."""

from __future__ import annotations

from dataclasses import dataclass

from bench.evidence import Verdict
from bench.report.page.beside import disagreement, side_by_side
from bench.report.page.best import Unbeaten, best_of, unbeaten
from bench.report.page.caveats import caveats
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.told import change


@dataclass(frozen=True)
class Card:
    """What is said of one task."""

    anchor: str
    task: str
    outcome: str
    """Of what is advised, or else of the best remedy of the primary family: what colours the card."""
    advice: str
    """What to use, in a few words."""
    headline: str
    """The numbers behind it."""
    sentences: list[str]
    columns: list[str]
    measures: list[list[str]]
    disagreement: str
    notes: list[str]


def card(judged: Judged, free: str, new_text: str) -> Card:
    """The verdict on one task; `free` says what needs no training, `new_text` what other test sentences would change."""
    best = best_of(judged, "primary")
    stands = unbeaten(judged, best)
    columns, measures = side_by_side(judged, best, stands)
    return Card(
        judged.anchor,
        judged.facts.task,
        "better" if stands else best.outcome if best else "cannot tell",
        _advice(best, stands),
        _headline(judged, best, stands),
        [*caveats(judged, best, stands), *filter(None, [new_text, free])],
        columns,
        measures,
        disagreement(judged),
        list(judged.facts.notes),
    )


def _advice(best: Verdict | None, free: Unbeaten | None) -> str:
    if best is None or best.outcome == "cannot tell":
        return "Cannot tell."
    if free is not None:
        return f"Use {free.name}."
    return f"Use {best.strategy}." if best.outcome == "better" else f"Keep plain training ({PLAIN})."


def _headline(judged: Judged, best: Verdict | None, free: Unbeaten | None) -> str:
    if best is None:
        return judged.comparison.reason or "No strategy of the primary family has finished all its seeds."
    level = _level(judged, judged.means[best.strategy], best)
    if best.outcome == "cannot tell":
        return f"{best.reason[0].upper()}{best.reason[1:]}. The best, {best.strategy}: {level}."
    if free is not None:
        beaten = "does not detectably beat it" if best.outcome == "better" else f"is not detectably better than {PLAIN}"
        level = _level(judged, free.mean, free.verdict)
        return (
            f"It takes no training: {level}. The best of the primary family, {best.strategy}, {beaten}: {change(best)}."
        )
    if best.outcome == "better":
        return f"Better than {PLAIN}: {level}."
    if best.outcome == "no detectable difference":
        return f"No remedy of the primary family is detectably better. The best, {best.strategy}: {level}."
    return f"Every remedy of the primary family is worse. The least bad, {best.strategy}: {level}."


def _level(judged: Judged, mean: float, verdict: Verdict) -> str:
    """ "macro-f1 0.868 against 0.804 of none, +0.064 [+0.041, +0.086]"."""
    return f"{judged.objective.name} {mean:.3f} against {judged.means[PLAIN]:.3f} of {PLAIN}, {change(verdict)}"
