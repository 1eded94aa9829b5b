"""Measures that count labels as they come in test beside those that count classes alike, and why the two disagree."""

from __future__ import annotations

import numpy as np

from bench.evidence import Verdict
from bench.measures import measures as measures_of
from bench.report.frame import by_index
from bench.report.page.best import Unbeaten
from bench.report.page.judged import PLAIN, Judged
from bench.report.text import plain
from bench.report.titles import MEASURES

SHOWN = ("macro_f1", "accuracy", "balanced_accuracy", "worst_class_recall")
"""The first two count labels as they come in test, the others count classes alike."""


def side_by_side(judged: Judged, best: Verdict | None, free: Unbeaten | None) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a table: what is advised, the best of the primary family, `none`."""
    means = by_index(judged.results.means(judged.facts))
    shown = {str(name): [found[f"{measure}_mean"] for measure in SHOWN] for name, found in means.items()}
    names = [best.strategy if best else PLAIN, PLAIN]
    if free is not None:
        shown[free.name] = _means_of(judged, free)
        names = [free.name, *names]
    rows = [[name, *map(plain, shown[name])] for name in dict.fromkeys(names) if name in shown]
    return ["mean on test", *(MEASURES[measure] for measure in SHOWN)], rows


def _means_of(judged: Judged, free: Unbeaten) -> list[float]:
    """Means over seeds of plain training under an adjustment."""
    evaluations = (record.evaluation("chosen", "test", free.adjustment) for record in free.records.values())
    each = [measures_of(found.confusion, found.nll, found.entities) for found in evaluations]
    return [float(np.mean([found[measure] for found in each])) for measure in SHOWN]


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
