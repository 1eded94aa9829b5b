"""Precision, recall and F1 of every entity type by strategy, on tagging tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.metrics.classification import compute_entity_metrics
from bench.records.record import EntityCounts, TaskFacts
from bench.report.frame import StrategyOutcome, StudyResults
from bench.report.tables.excluded_table import excluded_table
from bench.report.tables.markdown_page import COUNTS, Block, csv_frame, identity_columns, render_page
from bench.report.text_table import Table
from bench.report.titles import STRATEGY, UNTESTED, display_name
from bench.text.markdown import escape_markdown
from bench.text.numbers import format_mean_sd

TITLE = "Precision, recall and F1 by entity type"
_LEAD = (
    "Mean ± standard deviation over the seeds of a strategy, on test, over whole entities, counted by seqeval in its default "
    "mode, which is that of conlleval; at the checkpoint chosen on validation by {metric}. A dash: no such entity in test "
    f"or, for precision, none predicted either. {UNTESTED}"
)
NO_ENTITIES = "This task has no entities, or they were not recorded."
_SCORES = ("precision", "recall", "f1")


def csv_table(results: StudyResults) -> pd.DataFrame:
    """Return a line per complete strategy and entity type, in the study's order, on the tasks that have entities."""
    numbers = [f"{score}_{statistic}" for score in _SCORES for statistic in ("mean", "sd")]
    columns = ["task", "strategy", "status", *COUNTS, "entity_type", "test_entities_mean", *numbers]
    return csv_frame(results, _csv_lines(results), columns, COUNTS)


def _csv_lines(results: StudyResults) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        for outcome in results.outcomes_of(facts):
            for kind, scores in scores_by_type(outcome).items():
                means = {f"{score}_mean": scores[score].mean() for score in _SCORES}
                sds = {f"{score}_sd": scores[score].std(ddof=1) for score in _SCORES}
                counts = {"entity_type": kind, "test_entities_mean": scores["entities"].mean()}
                yield {**identity_columns(outcome), **counts, **means, **sds}


def scores_by_type(outcome: StrategyOutcome) -> dict[str, pd.DataFrame]:
    """Return precision, recall, F1 and number of entities in test of each entity type, a row per seed.

    Empty where the strategy is not complete, or where the evaluations of its runs have no entities.
    """
    evaluations = [
        record.evaluation("chosen", "test", outcome.planned.adjustment) for record in outcome.records.values()
    ]
    counts = [evaluation.entities for evaluation in evaluations if evaluation.entities is not None]
    if outcome.status != "complete" or len(counts) < len(evaluations):
        return {}
    kinds = sorted({kind for by_type in counts for kind in by_type})
    nothing = EntityCounts(0, 0, 0)
    return {kind: pd.DataFrame([_scores(by_type.get(kind, nothing)) for by_type in counts]) for kind in kinds}


def _scores(counts: EntityCounts) -> dict[str, float]:
    """Return the scores of one type; NaN where there is nothing to score."""
    scores = compute_entity_metrics([counts])
    precision, recall, f1 = (scores[f"entity_{score}"] for score in _SCORES)
    is_present, nan = counts.predicted + counts.actual > 0, float("nan")
    return {
        "precision": precision if is_present else nan,
        "recall": recall if counts.actual else nan,
        "f1": f1 if is_present else nan,
        "entities": counts.actual,
    }


def entity_table(results: StudyResults, facts: TaskFacts, name: str = "entities") -> Table:
    """Return a row per entity type and complete strategy, types by name and strategies by macro-F1; empty without entities."""
    outcomes = {outcome.strategy: outcome for outcome in results.outcomes_of(facts)}
    rows = [
        {
            "type": kind,
            STRATEGY: display_name(str(strategy)),
            **{
                title: _format(scores[score])
                for score, title in zip(_SCORES, ("precision", "recall", "F1"), strict=True)
            },
            "entities in test": f"{scores['entities'].mean():,.0f}",
        }
        for strategy in results.means(facts).index
        for kind, scores in scores_by_type(outcomes[str(strategy)]).items()
    ]
    return Table(sorted(rows, key=lambda row: row["type"]), name)


def _format(scores: pd.Series[float]) -> str:
    return format_mean_sd(float(scores.mean()), float(scores.std(ddof=1)))


def markdown_page(results: StudyResults) -> str:
    """Return the page with a table for each task that has entities."""
    lead = _LEAD.format(metric=escape_markdown(results.checkpoint_metric_title()))
    return render_page(TITLE, results, [lead], (blocks(results, facts) for facts in results.study.tasks))


def blocks(results: StudyResults, facts: TaskFacts) -> Iterator[Block]:
    """Yield the paragraphs and tables of one task."""
    table = entity_table(results, facts)
    yield table if table.rows else NO_ENTITIES
    yield excluded_table(results, facts, with_warnings=False)
