"""Measures that count labels as they come in test beside those that count classes alike, and why the two disagree."""

from __future__ import annotations

from bench.report.frame import PLAIN, by_index
from bench.report.page.best import Choice
from bench.report.page.judged import Judged
from bench.report.titles import MEASURES
from bench.stats import TOO_FEW_SEEDS
from bench.text.numbers import plain

SHOWN = ("macro_f1", "accuracy", "balanced_accuracy", "worst_class_recall")
"""The first two count labels as they come in test, the others count classes alike."""


def side_by_side(judged: Judged, chosen: Choice | None) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a table: the strategy to speak of, what it was weighed against, `none`."""
    means = by_index(judged.results.means(judged.facts))
    objective = judged.metric.name.replace("-", "_")
    shown = [*SHOWN, *([objective] if objective in MEASURES and objective not in SHOWN else [])]
    names = [*([chosen.verdict.strategy, chosen.other] if chosen else []), PLAIN]
    rows = [
        [name, *(plain(means[name][f"{measure}_mean"]) for measure in shown)]
        for name in dict.fromkeys(names)
        if name in means
    ]
    return ["mean on test", *(MEASURES[measure] for measure in shown)], rows


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
    told = [each for each in natural if each.family != "exploratory" and each.outcome != TOO_FEW_SEEDS]
    worse = {each.strategy for each in told if each.outcome == "worse"}
    torn = [each.strategy for each in balanced if each.outcome == "better" and each.strategy in worse]
    named = f" ({', '.join(torn)})" if torn else ""
    counted = (
        f" Detectably better in balanced accuracy and worse in macro-F1: {len(torn)} of {len(told)} remedies{named}."
        if told
        else ""
    )
    return (
        f"Test keeps its class mix.{counted} Balanced accuracy counts only what is found of each class, macro-F1 and accuracy "
        "also the false alarms that the many labels of frequent classes supply."
    )
