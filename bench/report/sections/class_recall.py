"""Recall and precision of every class, head to tail: which classes a remedy helps, and at whose expense."""

from __future__ import annotations

import pandas as pd

from bench.metrics.classification import compute_third_metrics
from bench.report import wording
from bench.report.page_parts import Part, Table
from bench.report.tables.markdown_page import describe_absent
from bench.report.tables.recall_table import sortable_scores_table
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.text.numbers import format_mean_sd

TITLE = wording.CLASS_RECALL


def build(task: TaskResults) -> list[Part]:
    """Return the heat map, then recall and precision by class and by third."""
    if task.results.by_class(task.facts).empty:
        return []
    return [
        task.figure_file("recall", _alt(task)),
        sortable_scores_table(task.results, task.facts, task.part_name("class-recall")),
        *filter(None, [describe_absent(task.results, task.facts)]),
        wording.CLASS_THIRDS,
        Table(_thirds(task), task.part_name("thirds")),
    ]


def _thirds(task: TaskResults) -> list[dict[str, str]]:
    """Return recall and precision of head, middle and tail: mean and sd over the seeds of each complete strategy."""
    rows = []
    for strategy, outcome in task.outcomes.items():
        if outcome.status != "complete":
            continue
        adjustment = outcome.planned.adjustment
        evaluations = [record.evaluation("chosen", "test", adjustment) for record in outcome.records.values()]
        thirds = pd.DataFrame([compute_third_metrics(evaluation.confusion) for evaluation in evaluations])
        cells = {str(name).replace("_", " "): format_mean_sd(*thirds[name].agg(["mean", "std"])) for name in thirds}
        rows.append({"strategy": display_name(strategy), **cells})
    return rows


def _alt(task: TaskResults) -> str:
    """Return each strategy's recall of the first and the last class: all numbers are in the table."""
    recall = task.results.by_class(task.facts)["recall_mean"].unstack("class")
    head, tail = task.facts.class_names[0], task.facts.class_names[-1]
    recalls = "; ".join(
        f"{display_name(str(name))} {row[head]:.2f} to {row[tail]:.2f}" for name, row in recall.iterrows()
    )
    return wording.CLASS_RECALL_ALT.format(head=head, tail=tail, recalls=recalls)
