"""The first screen: for each task which remedy to use, how sure that is, what it costs, and what must be known of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.evidence import Verdict
from bench.measures import measures as measures_of
from bench.report.frame import by_index
from bench.report.page.judged import PLAIN, Judged
from bench.report.page.told import change
from bench.report.page.tuning import at_edge
from bench.report.page.without_training import Free, unbeaten
from bench.report.text import plain
from bench.report.titles import MEASURES

_BESIDE = ("macro_f1", "accuracy", "balanced_accuracy", "worst_class_recall")
"""The first two count labels as they come in test, the others count classes alike."""


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
    free_one = unbeaten(judged, best) if best is not None else None
    columns, measures = _measures(judged, best, free_one)
    return Card(
        judged.anchor,
        judged.facts.task,
        "better" if free_one else best.outcome if best else "cannot tell",
        _advice(best, free_one),
        _headline(judged, best, free_one),
        [*_sentences(judged, best, free_one), *filter(None, [coverage(judged), new_text, free])],
        columns,
        measures,
        disagreement(judged),
        list(judged.facts.notes),
    )


def best_of(judged: Judged, family: str) -> Verdict | None:
    """Of a family's strategies that are better than `none`, or else of all, the one that gains most; None where there is none."""
    found = [each for each in judged.verdicts.values() if each.family == family]
    better = [each for each in found if each.outcome == "better"]
    return max(better or found, key=lambda each: judged.gain(each), default=None)


def _advice(best: Verdict | None, free: tuple[Free, Verdict] | None) -> str:
    if best is None or best.outcome == "cannot tell":
        return "Cannot tell."
    if free is not None:
        return f"Use {free[0].name}."
    return f"Use {best.strategy}." if best.outcome == "better" else f"Keep plain training ({PLAIN})."


def _headline(judged: Judged, best: Verdict | None, free: tuple[Free, Verdict] | None) -> str:
    if best is None:
        return judged.comparison.reason or "No strategy of the primary family has finished all its seeds."
    level = _level(judged, judged.means[best.strategy], best)
    if best.outcome == "cannot tell":
        return f"{best.reason[0].upper()}{best.reason[1:]}. The best, {best.strategy}: {level}."
    if free is not None:
        mean = float(free[0].values.to_numpy().mean())
        beaten = "does not detectably beat it" if best.outcome == "better" else f"is not detectably better than {PLAIN}"
        return (
            f"It takes no training: {_level(judged, mean, free[1])}. The best of the primary family, {best.strategy}, {beaten}: "
            f"{change(best)}."
        )
    if best.outcome == "better":
        return f"Better than {PLAIN}: {level}."
    if best.outcome == "no detectable difference":
        return f"No remedy of the primary family is detectably better. The best, {best.strategy}: {level}."
    return f"Every remedy of the primary family is worse. The least bad, {best.strategy}: {level}."


def _level(judged: Judged, mean: float, verdict: Verdict) -> str:
    """ "macro-f1 0.868 against 0.804 of none, +0.064 [+0.041, +0.086]"."""
    return f"{judged.objective.name} {mean:.3f} against {judged.means[PLAIN]:.3f} of {PLAIN}, {change(verdict)}"


def _sentences(judged: Judged, best: Verdict | None, free: tuple[Free, Verdict] | None) -> Iterator[str]:
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


def _cost(judged: Judged, best: Verdict) -> str:
    cost, adds = judged.step_cost(best.strategy), judged.outcomes[best.strategy].row.adds
    said = "Step cost: not measured"
    if not np.isnan(cost.ratio):
        rounds = f" ({cost.low:.2f} to {cost.high:.2f} by round)" if cost.high > cost.low else ""
        said = f"Step cost: {cost.ratio:.2f} times that of {PLAIN}{rounds}"
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


def _measures(
    judged: Judged, best: Verdict | None, free: tuple[Free, Verdict] | None
) -> tuple[list[str], list[list[str]]]:
    """The measures that count labels as they come beside those that count classes alike: what is advised, the best, `none`."""
    means = by_index(judged.results.means(judged.facts))
    shown = {str(name): [found[f"{measure}_mean"] for measure in _BESIDE] for name, found in means.items()}
    names = [best.strategy if best else PLAIN, PLAIN]
    if free is not None and not free[0].row:
        shown[free[0].name] = _means_of(judged, free[0])
        names = [free[0].name, *names]
    rows = [[name, *map(plain, shown[name])] for name in dict.fromkeys(names) if name in shown]
    return ["mean on test", *(MEASURES[measure] for measure in _BESIDE)], rows


def _means_of(judged: Judged, free: Free) -> list[float]:
    """Means over seeds of plain training under an adjustment that is no row of its own."""
    evaluations = (
        record.evaluation("chosen", "test", free.adjustment) for record in judged.outcomes[PLAIN].records.values()
    )
    each = [measures_of(found.confusion, found.nll, found.entities) for found in evaluations]
    return [float(np.mean([found[measure] for found in each])) for measure in _BESIDE]


def disagreement(judged: Judged) -> str:
    """Why measures with the test's class mix and balanced measures rank strategies otherwise, and how often they do."""
    if judged.facts.prior == "balanced":
        return (
            "Test is balanced, so accuracy is balanced accuracy, and a remedy that finds more of the rare classes gains on "
            "both; on data with its natural class mix it may lose accuracy and macro-F1."
        )
    balanced, natural = (judged.by_measure(name).verdicts for name in ("balanced_accuracy", "macro_f1"))
    if not natural:
        return ""
    worse = {each.strategy for each in natural if each.outcome == "worse"}
    torn = [each.strategy for each in balanced if each.outcome == "better" and each.strategy in worse]
    named = f" ({', '.join(torn)})" if torn else ""
    return (
        f"Test keeps its class mix. Detectably better in balanced accuracy and worse in macro-F1: {len(torn)} of {len(natural)}"
        f"{named}. Balanced accuracy counts only what is found of each class, macro-F1 and accuracy also the false alarms that "
        "the many labels of frequent classes supply."
    )
