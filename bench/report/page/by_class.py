"""Recall of every class, head to tail: which classes a remedy helps, and at whose expense."""

from __future__ import annotations

import pandas as pd

from bench.metrics.classification import compute_third_metrics
from bench.report.frame import by_index
from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.text.numbers import mean_sd, plain

TITLE = "Recall by class, head to tail"

THIRDS = (
    "Head, middle and tail: the classes by their labels in training, cut in three, head and tail a third each, rounded; means "
    "over the classes of a third that occur in test."
)


def parts(judged: Judged) -> list[Part]:
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
        judged.drawing("recall", _alt(judged)),
        Table(rows, judged.name("by-class")),
        THIRDS,
        Table(_thirds(judged), judged.name("thirds")),
    ]


def _thirds(judged: Judged) -> list[dict[str, str]]:
    """Recall and precision of head, middle and tail: mean and sd over the seeds of each complete strategy."""
    rows = []
    for strategy, outcome in judged.outcomes.items():
        if outcome.status != "complete":
            continue
        adjustment = outcome.row.adjustment
        each = [record.evaluation("chosen", "test", adjustment) for record in outcome.records.values()]
        found = pd.DataFrame([compute_third_metrics(evaluation.confusion) for evaluation in each])
        cells = {str(name).replace("_", " "): mean_sd(*found[name].agg(["mean", "std"])) for name in found}
        rows.append({"strategy": strategy, **cells})
    return rows


def _alt(judged: Judged) -> str:
    """Each strategy's recall of the first and the last class: the whole is in the table below."""
    found = judged.results.by_class(judged.facts)["recall_mean"].unstack("class")
    head, tail = judged.facts.class_names[0], judged.facts.class_names[-1]
    each = "; ".join(f"{name} {row[head]:.2f} to {row[tail]:.2f}" for name, row in found.iterrows())
    return f"Heat map of recall by strategy and class. From {head} (most labels) to {tail} (fewest): {each}"
