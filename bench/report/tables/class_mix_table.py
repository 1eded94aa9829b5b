"""What the runs of a strategy sampled: how much, how much of it distinct, and in which class mix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import StudyResults, rows_by_index
from bench.report.tables.excluded_table import excluded_table
from bench.report.tables.markdown_page import COUNTS, Block, csv_frame, identity_columns, render_page
from bench.report.text_table import Table
from bench.report.titles import NOTHING, SAMPLING, STRATEGY, display_name
from bench.text.numbers import format_number, format_percent

TITLE = "Class mix seen in training"
TRAINING_PART = "(training part)"
"""The row of the class mix that is no strategy."""

_SHARE_OF_LABELS = "share_of_labels"
_SHARES = ("coverage", "effective_sample_size_share")
_LEAD = (
    "What the runs of a strategy sampled, mean over its seeds. *Coverage* is the share of the training items that were sampled "
    "at least once. *Effective sample size*, where items are sampled by weight, is the number of equally weighted items that "
    "carry as much information (Kish's (Σw)²/Σw²). The class mix is each class's share of all sampled labels; remedies that "
    "act in the loss do not change it."
)


def csv_table(results: StudyResults) -> pd.DataFrame:
    """Return a line per strategy and quantity, with the share of labels once per class; complete strategies only."""
    columns = ["task", "strategy", "status", *COUNTS, "quantity", "class", "mean", "sd"]
    return csv_frame(results, _csv_lines(results), columns, COUNTS)


def _csv_lines(results: StudyResults) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        sampling = rows_by_index(results.sampling(facts))
        by_class = rows_by_index(results.by_class(facts))
        for outcome in results.outcomes_of(facts):
            strategy, identity = outcome.strategy, identity_columns(outcome)
            if outcome.status != "complete":
                yield identity
                continue
            for quantity in SAMPLING:
                yield {**identity, "quantity": quantity, **_mean_and_sd(sampling[strategy], quantity)}
            for class_name in facts.class_names:
                share = _mean_and_sd(by_class[strategy, class_name], "drawn_share")
                yield {**identity, "quantity": _SHARE_OF_LABELS, "class": class_name, **share}


def _mean_and_sd(numbers: dict[str, Any], name: str) -> dict[str, Any]:
    return {statistic: numbers[f"{name}_{statistic}"] for statistic in ("mean", "sd")}


def sampling_table(results: StudyResults, facts: TaskFacts, name: str = "sampling") -> Table:
    """Return how much each strategy sampled: a row per complete strategy, in the study's order."""
    rows = []
    for strategy, numbers in rows_by_index(results.sampling(facts)).items():
        row = {STRATEGY: display_name(strategy)}
        for quantity, title in SAMPLING.items():
            mean = numbers[f"{quantity}_mean"]
            row[title] = format_percent(mean) if quantity in _SHARES else format_number(mean, ",.0f")
        rows.append(row)
    return Table(rows, name)


def class_mix_table(results: StudyResults, facts: TaskFacts, name: str = "class-mix") -> Table:
    """Return each class's share of the sampled labels: the training part first, then a row per complete strategy."""
    shares = results.by_class(facts)["drawn_share_mean"]
    labels = sum(facts.class_counts)
    training_part = [count / labels for count in facts.class_counts]
    rows = [_class_mix_row(TRAINING_PART, facts, training_part)]
    for strategy in results.sampling(facts).index:
        sampled = [shares[strategy, class_name] for class_name in facts.class_names]
        rows.append(_class_mix_row(display_name(strategy), facts, sampled))
    return Table(rows, name)


def _class_mix_row(strategy: str, facts: TaskFacts, shares: list[float]) -> dict[str, str]:
    cells = (format_percent(share) for share in shares)
    return {STRATEGY: strategy, **dict(zip(facts.class_names, cells, strict=True))}


def markdown_page(results: StudyResults) -> str:
    """Return the page with, for each task, the amounts sampled and the class mix."""
    return render_page(TITLE, results, [_LEAD], (blocks(results, facts) for facts in results.study.tasks))


def blocks(results: StudyResults, facts: TaskFacts) -> Iterator[Block]:
    """Yield the paragraphs and tables of one task."""
    sampling = sampling_table(results, facts)
    if sampling.rows:
        yield from (sampling, "Class mix:", class_mix_table(results, facts))
    else:
        yield NOTHING
    yield excluded_table(results, facts, with_warnings=False)
