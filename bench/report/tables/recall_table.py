"""The table by class: recall and precision of every strategy, head classes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import Results, by_index
from bench.report.tables.layout import COUNTS, document, left_out, lines_of, section, standing
from bench.report.titles import BY_CLASS, NOTHING, STRATEGY, UNTESTED
from bench.text.numbers import markdown, mean_sd, table

_LEAD = (
    "Mean ± standard deviation over the seeds of a strategy, on test, at the checkpoint with the highest validation "
    "macro-F1. Columns are classes, the most frequent in training first, with their labels in training. A dash: the "
    f"class does not occur in test. The precision of a class that is never predicted counts as 0. {UNTESTED}"
)


def frame(results: Results) -> pd.DataFrame:
    """One line a strategy and class; numbers of complete strategies only, one bare line for a declined one."""
    numbers = [f"{measure}_{what}" for measure in BY_CLASS for what in ("mean", "sd")]
    columns = ["task", "strategy", "status", *COUNTS, "class", "training_labels", "test_labels_mean", *numbers]
    return lines_of(results, _lines(results), columns, [*COUNTS, "training_labels"])


def page(results: Results) -> str:
    """A section a task with a table of recalls and one of precisions, strategies by macro-F1."""
    sections = (section(facts, _parts(facts, results)) for facts in results.study.tasks)
    return document("Recall and precision by class", results.study, [_LEAD], sections)


def _lines(results: Results) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        numbers = by_index(results.by_class(facts))
        for outcome in results.of(facts):
            if outcome.status == "declined":
                yield standing(outcome)
                continue
            for name, count in zip(facts.class_names, facts.class_counts, strict=True):
                of_class = numbers.get((outcome.row.strategy, name), {})
                yield {**standing(outcome), "class": name, "training_labels": count, **of_class}


def _parts(facts: TaskFacts, results: Results) -> list[str]:
    means, by_class = results.means(facts), results.by_class(facts)
    if means.empty:
        return [NOTHING, left_out(results.of(facts))]
    counted = zip(facts.class_names, facts.class_counts, strict=True)
    header = [STRATEGY, *(f"{markdown(name)} ({count:,})" for name, count in counted)]
    parts = []
    for measure, title in BY_CLASS.items():
        pairs = by_class[[f"{measure}_mean", f"{measure}_sd"]]
        rows = (
            [markdown(strategy), *(mean_sd(*pairs.loc[(strategy, name)]) for name in facts.class_names)]
            for strategy in means.index
        )
        parts += [f"{title}:", table(header, rows)]
    return [*parts, left_out(results.of(facts))]
