"""The first screen: for each task which remedy to use, how sure that is, what it costs, and what must be known of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.evidence import Verdict
from bench.report.frame import by_index
from bench.report.page.judged import PLAIN, Judged
from bench.report.text import plain, signed
from bench.report.titles import MEASURES

_BESIDE = ("macro_f1", "accuracy", "balanced_accuracy", "worst_class_recall")
"""The first two count labels as they come in test, the others count classes alike."""


@dataclass(frozen=True)
class Card:
    """What is said of one task."""

    anchor: str
    task: str
    outcome: str
    """Of the best remedy of the primary family: what colours the card."""
    advice: str
    headline: str
    sentences: list[str]
    columns: list[str]
    measures: list[list[str]]
    disagreement: str
    notes: list[str]


def card(judged: Judged, free: str) -> Card:
    """The verdict on one task; `free` is a sentence on what needs no training, empty if there is none."""
    best = best_of(judged, "primary")
    columns, measures = _measures(judged, best)
    return Card(
        judged.anchor,
        judged.facts.task,
        best.outcome if best else "cannot tell",
        "",
        _headline(judged, best),
        [*_sentences(judged, best), *filter(None, [free])],
        columns,
        measures,
        disagreement(judged),
        list(judged.facts.notes),
    )


def best_of(judged: Judged, family: str) -> Verdict | None:
    """Of a family's strategies that are better than `none`, or else of all, the one that gains most; None where there is none."""
    found = [each for each in judged.verdicts.values() if each.family == family]
    better = [each for each in found if each.outcome == "better"]
    return max(better or found, key=lambda each: _gain(judged, each), default=None)


def _gain(judged: Judged, verdict: Verdict) -> float:
    """The difference to `none`, above 0 where it is on the good side."""
    return verdict.difference if judged.objective.direction == "up" else -verdict.difference


def _headline(judged: Judged, best: Verdict | None) -> str:
    if best is None:
        return judged.comparison.reason or "No strategy of the primary family has finished all its seeds."
    name = judged.objective.name
    means = judged.means
    level = f"{name} {means[best.strategy]:.3f} against {means[PLAIN]:.3f} of {PLAIN}"
    change = f"{signed(best.difference)} {interval(best)}"
    if best.outcome == "better":
        return f"{best.strategy}: better than {PLAIN}, {change} ({level})"
    if best.outcome == "no detectable difference":
        return f"No remedy of the primary family is detectably better than {PLAIN}. The best, {best.strategy}: {change} ({level})"
    if best.outcome == "worse":
        return f"No remedy of the primary family is better than {PLAIN}. The least bad, {best.strategy}: {change} ({level})"
    return f"Cannot tell: {best.reason}. The best, {best.strategy}: {change} ({level})"


def interval(verdict: Verdict) -> str:
    """ "[+0.012, +0.031]", or that there is none."""
    return "(no interval)" if np.isnan(verdict.low) else f"[{signed(verdict.low)}, {signed(verdict.high)}]"


def _sentences(judged: Judged, best: Verdict | None) -> Iterator[str]:
    if best is None:
        return
    cost = judged.step_cost(best.strategy).ratio
    yield "Step cost: " + ("not measured." if np.isnan(cost) else f"{cost:.2f} times that of {PLAIN}.")
    if not np.isnan(best.smallest_resolvable):
        yield (
            f"Smallest difference that these {best.n} seeds could resolve for it (80% power): {best.smallest_resolvable:.3f}."
        )
    primary = [each for each in judged.verdicts.values() if each.family == "primary"]
    counted = Counter(each.outcome for each in primary)
    yield "Primary family: " + ", ".join(f"{count} {outcome}" for outcome, count in counted.most_common()) + "."
    highest, other = max(primary, key=lambda each: _gain(judged, each)), best_of(judged, "exploratory")
    if highest is not best:
        yield f"{highest.strategy} has the better mean, {_told(highest)}."
    if other is not None and _gain(judged, other) > _gain(judged, best):
        yield f"Exploratory, so only a lead: {other.strategy} {_told(other)}."
    yield from _tuning(judged)
    yield coverage(judged)


def _told(verdict: Verdict) -> str:
    return f"{signed(verdict.difference)} {interval(verdict)}, {verdict.outcome}"


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
    tuned = sum(bool(each.row.setting) for each in judged.outcomes.values())
    if tuned:
        yield f"Tuned on validation: {tuned} of {len(judged.outcomes)} strategies."


def _measures(judged: Judged, best: Verdict | None) -> tuple[list[str], list[list[str]]]:
    """The measures that count labels as they come beside those that count classes alike: the best and `none`."""
    means = by_index(judged.results.means(judged.facts))
    shown = [each for each in (best.strategy if best else None, PLAIN) if each in means]
    rows = [[str(name), *(plain(means[name][f"{measure}_mean"]) for measure in _BESIDE)] for name in shown]
    return ["mean on test", *(MEASURES[measure] for measure in _BESIDE)], rows


def disagreement(judged: Judged) -> str:
    """One sentence on why measures with the test's class mix and balanced measures rank strategies otherwise."""
    means = judged.results.means(judged.facts)
    if PLAIN not in means.index:
        return ""
    if judged.facts.prior == "balanced":
        return (
            "Test is balanced, so accuracy is balanced accuracy, and a remedy that finds more of the rare classes gains on "
            "both; on data with its natural class mix it may lose accuracy and macro-F1."
        )
    gains = means[["balanced_accuracy_mean", "macro_f1_mean"]] - means.loc[PLAIN]
    torn = int(((gains["balanced_accuracy_mean"] > 0) & (gains["macro_f1_mean"] < 0)).sum())
    return (
        f"Test keeps its class mix; {torn or 'none'} of {len(means) - 1} remedies raise balanced accuracy but lower macro-F1: "
        "balanced accuracy counts only what is found of each class, macro-F1 and accuracy also the false alarms that the "
        "many labels of frequent classes supply."
    )
