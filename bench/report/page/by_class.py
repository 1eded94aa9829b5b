"""Recall of every class, head to tail: which classes a remedy helps, and at whose expense."""

from __future__ import annotations

from markupsafe import Markup

from bench.report.frame import by_index
from bench.report.page.datatable import interactive, plain
from bench.report.page.drawing import inline
from bench.report.page.judged import Judged

TITLE = "Recall by class, head to tail"


def parts(judged: Judged) -> list[str | Markup]:
    """The heat map, and recall and precision as a table."""
    found = judged.results.by_class(judged.facts)
    if found.empty:
        return []
    counts = dict(zip(judged.facts.class_names, judged.facts.class_counts, strict=True))
    rows = [
        {
            "strategy": strategy,
            "class": of_class,
            "labels in training": str(counts[of_class]),
            "recall": plain(numbers["recall_mean"]),
            "recall sd": plain(numbers["recall_sd"]),
            "precision": plain(numbers["precision_mean"]),
            "precision sd": plain(numbers["precision_sd"]),
        }
        for (strategy, of_class), numbers in by_index(found).items()
    ]
    return [
        inline(judged.figure("recall"), judged.name("recall"), _alt(judged)),
        interactive(rows, judged.name("by-class")),
    ]


def _alt(judged: Judged) -> str:
    """Each strategy's recall of the first and the last class: the whole is in the table below."""
    found = judged.results.by_class(judged.facts)["recall_mean"].unstack("class")
    head, tail = judged.facts.class_names[0], judged.facts.class_names[-1]
    each = "; ".join(f"{name} {row[head]:.2f} to {row[tail]:.2f}" for name, row in found.iterrows())
    return f"Heat map of recall by strategy and class. From {head} (most labels) to {tail} (fewest): {each}"
