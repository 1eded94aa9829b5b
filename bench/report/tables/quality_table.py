"""The quality table: every metric by strategy, mean ± sd over seeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import StudyResults, rows_by_index
from bench.report.protocol_fields import describe_protocol
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
from bench.report.titles import (
    INSTABILITY,
    MEANINGS,
    MEASURES,
    MOST_FREQUENT_TAG,
    MOST_FREQUENT_TAG_MEANING,
    NOTHING,
    PRIORS,
    STRATEGY,
    UNTESTED,
    display_name,
)
from bench.report.wording import POSITIVE_CLASS, validation_labels
from bench.text.markdown import escape_markdown, markdown_list
from bench.text.numbers import format_mean_sd, format_number

TITLE = "Quality on test"
_LEAD = (
    "Mean ± standard deviation over the seeds of a strategy, on test, at the checkpoint chosen on validation by "
    "{metric}. *Not converged* counts the seeds whose last checkpoint is better than all before: with more training steps, their "
    f"numbers might differ. {UNTESTED}"
)


def csv_table(results: StudyResults) -> pd.DataFrame:
    """Return a line per strategy in the study's order, with numbers if it is complete, then the most-frequent-tag baseline."""
    numbers = [f"{measure}_{statistic}" for measure in MEASURES for statistic in ("mean", "sd")]
    columns = [
        "task",
        "strategy",
        "setting",
        "status",
        *COUNTS,
        "not_converged",
        *numbers,
        INSTABILITY,
        "reason",
        "warnings",
    ]
    return csv_frame(results, _csv_lines(results), columns, [*COUNTS, "not_converged"])


def _csv_lines(results: StudyResults) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        means = rows_by_index(results.means(facts))
        for outcome in results.outcomes_of(facts):
            yield {
                **identity_columns(outcome),
                "setting": outcome.planned.configuration,
                "not_converged": None if outcome.status == "skipped" else outcome.not_converged,
                **means.get(outcome.strategy, {}),
                INSTABILITY: results.instability.get((facts.task, outcome.strategy)),
                "reason": outcome.reason,
                "warnings": "; ".join(outcome.warnings),
            }
        if facts.baseline is not None:
            numbers = {f"{measure}_mean": value for measure, value in facts.baseline.items()}
            yield {"task": facts.task, "strategy": MOST_FREQUENT_TAG, "status": "baseline", **numbers}


def quality_table(results: StudyResults, facts: TaskFacts, name: str = "quality") -> Table:
    """Return a row per complete strategy and one for the most-frequent-tag baseline, the highest macro-F1 first.

    Metrics that no strategy has (entity scores of a task without entities) have no column.
    """
    means = results.means(facts)
    measures = [measure for measure in MEASURES if means[f"{measure}_mean"].notna().any()]
    has_instability = any(task == facts.task for task, _ in results.instability)
    outcomes = {outcome.strategy: outcome for outcome in results.outcomes_of(facts)}

    scored_rows = []
    for strategy, numbers in rows_by_index(means).items():
        outcome = outcomes[strategy]
        row = {STRATEGY: display_name(strategy)}
        row |= {MEASURES[name]: format_mean_sd(numbers[f"{name}_mean"], numbers[f"{name}_sd"]) for name in measures}
        if has_instability:
            row[INSTABILITY] = format_number(results.instability.get((facts.task, strategy)))
        row["not converged"] = f"{outcome.not_converged} of {len(outcome.records)}"
        scored_rows.append((numbers["macro_f1_mean"], row))
    if scored_rows and facts.baseline is not None:
        row = {STRATEGY: MOST_FREQUENT_TAG}
        row |= {MEASURES[name]: format_number(facts.baseline.get(name)) for name in measures}
        row |= {INSTABILITY: ""} if has_instability else {}
        row["not converged"] = ""
        scored_rows.append((facts.baseline["macro_f1"], row))

    scored_rows.sort(key=lambda scored_row: -scored_row[0])
    return Table([row for _, row in scored_rows], name)


def markdown_page(results: StudyResults) -> str:
    """Return the page with, for each task, its description, the table, chosen configurations, and what is left out."""
    meanings = dict(MEANINGS)
    if any(facts.baseline is not None for facts in results.study.tasks):
        meanings[MOST_FREQUENT_TAG] = MOST_FREQUENT_TAG_MEANING
    lead = [
        _LEAD.format(metric=escape_markdown(results.checkpoint_metric_title())),
        markdown_list(f"{title}: {meaning}" for title, meaning in meanings.items()),
    ]
    return render_page(TITLE, results, lead, (blocks(results, facts) for facts in results.study.tasks))


def blocks(results: StudyResults, facts: TaskFacts) -> Iterator[Block]:
    """Yield the paragraphs and tables of one task."""
    yield from _description(results, facts)
    table = quality_table(results, facts)
    yield table if table.rows else NOTHING
    yield escape_markdown(describe_absent(results, facts))
    yield _configurations(results, facts)
    excluded = excluded_table(results, facts)
    yield "Left out, and warnings of strategies:" if excluded.rows else ""
    yield excluded


def _description(results: StudyResults, facts: TaskFacts) -> Iterator[str]:
    yield escape_markdown(facts.description)
    yield (
        f"{facts.items:,} training items; {len(facts.class_names)} classes, from {max(facts.class_counts):,} labels in "
        f"training down to {min(facts.class_counts):,}. {PRIORS[facts.prior]}"
    )
    if validation := validation_labels(facts.valid_counts):
        yield f"{validation}."
    if len(facts.class_names) == 2:
        yield f"Positive class: {escape_markdown(POSITIVE_CLASS.format(name=facts.class_names[1]))}."
    protocol = results.study.protocols.get(facts.task)
    if protocol:
        yield f"Protocol: {escape_markdown(describe_protocol(protocol))}."
    for note in facts.notes:
        yield f"Note: {escape_markdown(note)}"


def _configurations(results: StudyResults, facts: TaskFacts) -> str:
    """Return the list of configurations that validation chose for the tuned strategies."""
    items = [
        f"**{escape_markdown(display_name(outcome.strategy))}**: {escape_markdown(outcome.planned.configuration)}, "
        f"one of {len(outcome.planned.configurations)}"
        for outcome in results.outcomes_of(facts)
        if outcome.planned.configurations and outcome.status == "complete"
    ]
    if not items:
        return ""
    metric = escape_markdown(Path(results.study.metric).name)
    return f"Configurations, chosen by mean {metric} on validation:\n\n{markdown_list(items)}"
