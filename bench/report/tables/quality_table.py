"""The quality table: strategy by measure, mean ± sd over seeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import Outcome, Results, by_index
from bench.report.protocol_fields import describe_protocol
from bench.report.tables.layout import COUNTS, chosen, document, left_out, lines_of, section, standing, warnings
from bench.report.titles import BASELINE, BASELINE_MEANING, MEANINGS, MEASURES, NOTHING, PRIORS, STRATEGY, UNTESTED
from bench.text.numbers import bullets, markdown, mean_sd, number, table

_LEAD = (
    "Mean ± standard deviation over the seeds of a strategy, on test, at the checkpoint with the highest validation "
    "macro-F1. *Not converged* counts the seeds whose checkpoint is their last one: more steps might have changed "
    f"their numbers. {UNTESTED}"
)


def frame(results: Results) -> pd.DataFrame:
    """One line a strategy in the study's order, then the task's baseline; numbers of complete strategies only."""
    numbers = [f"{measure}_{what}" for measure in MEASURES for what in ("mean", "sd")]
    columns = ["task", "strategy", "setting", "status", *COUNTS, "not_converged", *numbers, "reason", "warnings"]
    return lines_of(results, _lines(results), columns, [*COUNTS, "not_converged"])


def page(results: Results) -> str:
    """A section a task: what it is, the strategies by macro-F1 with the baseline among them, and what is left out."""
    has_baseline = any(facts.baseline is not None for facts in results.study.tasks)
    meanings = MEANINGS | ({BASELINE: BASELINE_MEANING} if has_baseline else {})
    sections = (
        section(
            facts,
            [
                _about(facts, results),
                _table(facts, results),
                chosen(outcomes, results.study.metric),
                left_out(outcomes),
                warnings(outcomes),
            ],
        )
        for facts in results.study.tasks
        for outcomes in [results.of(facts)]
    )
    return document(
        "Quality on test",
        results.study,
        [_LEAD, bullets(f"{title}: {meaning}" for title, meaning in meanings.items())],
        sections,
    )


def _lines(results: Results) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        means = by_index(results.means(facts))
        for outcome in results.of(facts):
            yield {
                **standing(outcome),
                "setting": outcome.row.configuration,
                "not_converged": None if outcome.status == "declined" else outcome.not_converged,
                **means.get(outcome.row.strategy, {}),
                "reason": outcome.reason,
                "warnings": "; ".join(outcome.notes),
            }
        if facts.baseline is not None:
            numbers = {f"{measure}_mean": value for measure, value in facts.baseline.items()}
            yield {"task": facts.task, "strategy": BASELINE, "status": "baseline", **numbers}


def _about(facts: TaskFacts, results: Results) -> str:
    size = (
        f"{facts.items:,} training items; {len(facts.class_names)} classes, "
        f"from {max(facts.class_counts):,} labels in training down to {min(facts.class_counts):,}."
    )
    protocol = results.study.protocols.get(facts.task)
    return "\n\n".join(
        [
            markdown(facts.description),
            f"{size} {PRIORS[facts.prior]}",
            *([f"Protocol: {markdown(describe_protocol(protocol))}."] if protocol else []),
            *(f"Note: {markdown(note)}" for note in facts.notes),
        ]
    )


def _table(facts: TaskFacts, results: Results) -> str:
    means = results.means(facts)
    if means.empty:
        return NOTHING
    outcomes = {outcome.row.strategy: outcome for outcome in results.of(facts)}
    shown = [measure for measure in MEASURES if means[f"{measure}_mean"].notna().any()]
    ranked = [
        (numbers["macro_f1_mean"], _cells(outcomes[strategy], numbers, shown))
        for strategy, numbers in by_index(means).items()
    ]
    if facts.baseline is not None:
        cells = [number(facts.baseline.get(measure)) for measure in shown]
        ranked.append((facts.baseline["macro_f1"], [f"*{BASELINE}*", *cells, ""]))
    ranked.sort(key=lambda each: -each[0])
    return table([STRATEGY, *(MEASURES[measure] for measure in shown), "not converged"], (cells for _, cells in ranked))


def _cells(outcome: Outcome, numbers: dict[str, float], shown: list[str]) -> list[str]:
    cells = [mean_sd(numbers[f"{measure}_mean"], numbers[f"{measure}_sd"]) for measure in shown]
    return [markdown(outcome.row.strategy), *cells, f"{outcome.not_converged} of {len(outcome.records)}"]
