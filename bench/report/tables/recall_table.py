"""Recall and precision of every class by strategy, the most frequent class in training first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import StudyResults, rows_by_index
from bench.report.tables.excluded_table import excluded_table
from bench.report.tables.markdown_page import (
    COUNTS,
    Block,
    csv_frame,
    describe_absent,
    identity_columns,
    render_page,
)
from bench.report.text_table import Table
from bench.report.titles import BY_CLASS, NOTHING, STRATEGY, UNTESTED, display_name
from bench.text.markdown import escape_markdown
from bench.text.numbers import format_mean_sd, format_number

TITLE = "Recall and precision by class"
_LEAD = (
    "Mean ± standard deviation over the seeds of a strategy, on test, at the checkpoint chosen on validation by "
    "{metric}. One column per class, the most frequent in training first, with its number of labels in training. A dash: "
    f"the class does not occur in test, and for precisions is not predicted either. The precision of a class that occurs and is "
    f"never predicted counts as 0. {UNTESTED}"
)


def csv_table(results: StudyResults) -> pd.DataFrame:
    """Return a line per strategy and class, a single one for a skipped strategy; numbers of complete strategies only."""
    numbers = [f"{measure}_{statistic}" for measure in BY_CLASS for statistic in ("mean", "sd")]
    columns = ["task", "strategy", "status", *COUNTS, "class", "training_labels", "test_labels_mean", *numbers]
    return csv_frame(results, _csv_lines(results), columns, [*COUNTS, "training_labels"])


def _csv_lines(results: StudyResults) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        numbers = rows_by_index(results.by_class(facts))
        for outcome in results.outcomes_of(facts):
            if outcome.status == "skipped":
                yield identity_columns(outcome)
                continue
            for class_name, count in zip(facts.class_names, facts.class_counts, strict=True):
                of_class = numbers.get((outcome.strategy, class_name), {})
                yield {**identity_columns(outcome), "class": class_name, "training_labels": count, **of_class}


def class_scores_table(results: StudyResults, facts: TaskFacts, measure: str, name: str = "") -> Table:
    """Return recall or precision (`measure`, a key of `BY_CLASS`): a row per strategy, by macro-F1, and a column per class."""
    numbers = rows_by_index(results.by_class(facts))
    titles = class_titles(facts)
    rows = []
    for strategy in results.means(facts).index:
        row = {STRATEGY: display_name(strategy)}
        for class_name, title in titles.items():
            of_class = numbers[strategy, class_name]
            row[title] = format_mean_sd(of_class[f"{measure}_mean"], of_class[f"{measure}_sd"])
        rows.append(row)
    return Table(rows, name or measure)


def sortable_scores_table(results: StudyResults, facts: TaskFacts, name: str) -> Table:
    """Return recall and precision with a row per strategy and class, in the study's order: for tables that sort and search."""
    counts = dict(zip(facts.class_names, facts.class_counts, strict=True))
    rows = [
        {
            STRATEGY: display_name(strategy),
            "class": class_name,
            "labels in training": str(counts[class_name]),
            "recall": format_number(numbers["recall_mean"]),
            "recall sd": format_number(numbers["recall_sd"]),
            "precision": format_number(numbers["precision_mean"]),
            "precision sd": format_number(numbers["precision_sd"]),
        }
        for (strategy, class_name), numbers in rows_by_index(results.by_class(facts)).items()
    ]
    return Table(rows, name)


def class_titles(facts: TaskFacts) -> dict[str, str]:
    """Return the column title of each class: "B-LOC (7,140)", with its labels in training."""
    counts = zip(facts.class_names, facts.class_counts, strict=True)
    return {class_name: f"{class_name} ({count:,})" for class_name, count in counts}


def markdown_page(results: StudyResults) -> str:
    """Return the page with, for each task, a table of recalls and one of precisions."""
    lead = _LEAD.format(metric=escape_markdown(results.checkpoint_metric_title()))
    return render_page(TITLE, results, [lead], (blocks(results, facts) for facts in results.study.tasks))


def blocks(results: StudyResults, facts: TaskFacts) -> Iterator[Block]:
    """Yield the paragraphs and tables of one task."""
    if results.means(facts).empty:
        yield NOTHING
    else:
        for measure, title in BY_CLASS.items():
            yield f"{title}:"
            yield class_scores_table(results, facts, measure)
        yield escape_markdown(describe_absent(results, facts))
    yield excluded_table(results, facts, with_warnings=False)
