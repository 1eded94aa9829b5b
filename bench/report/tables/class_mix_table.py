"""The table of what was drawn: how much, how much of it distinct, and in which class mix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.records.record import TaskFacts
from bench.report.frame import Results, by_index
from bench.report.tables.layout import COUNTS, document, left_out, lines_of, section, standing
from bench.report.titles import DRAWN, NOTHING, STRATEGY
from bench.text.numbers import markdown, number, percent, table

_SHARE = "share_of_labels"
_LEAD = (
    "What the trainings of a strategy drew, mean over its seeds. *Coverage* is the share of the training items that were "
    "drawn at all. *Effective sample size*, where items are drawn by weight, is how many equally weighted items carry as "
    "much (Kish's (Σw)²/Σw²). The class mix is the share of all labels drawn; remedies that act in the loss leave it as it is."
)


def frame(results: Results) -> pd.DataFrame:
    """One line a strategy and quantity, the share of labels once for each class; complete strategies only."""
    columns = ["task", "strategy", "status", *COUNTS, "quantity", "class", "mean", "sd"]
    return lines_of(results, _lines(results), columns, COUNTS)


def page(results: Results) -> str:
    """A section a task with the amounts drawn and the class mix, strategies in the study's order."""
    sections = (section(facts, _parts(facts, results)) for facts in results.study.tasks)
    return document("What was drawn", results.study, [_LEAD], sections)


def _lines(results: Results) -> Iterator[dict[str, Any]]:
    for facts in results.study.tasks:
        amounts, mix = results.drawn(facts), results.by_class(facts)
        for outcome in results.of(facts):
            strategy = outcome.row.strategy
            if outcome.status != "complete":
                yield standing(outcome)
                continue
            for name in DRAWN:
                found = {what: amounts.at[strategy, f"{name}_{what}"] for what in ("mean", "sd")}
                yield {**standing(outcome), "quantity": name, **found}
            for of_class in facts.class_names:
                found = {what: mix.at[(strategy, of_class), f"drawn_share_{what}"] for what in ("mean", "sd")}
                yield {**standing(outcome), "quantity": _SHARE, "class": of_class, **found}


def _parts(facts: TaskFacts, results: Results) -> list[str]:
    amounts, left = results.drawn(facts), left_out(results.of(facts))
    if amounts.empty:
        return [NOTHING, left]
    return [_amounts(amounts), "Class mix:", _mix(facts, results), left]


def _amounts(amounts: pd.DataFrame) -> str:
    forms = {"coverage": percent, "effective_sample_size_share": percent}
    rows = (
        [
            markdown(strategy),
            *(forms.get(name, lambda value: number(value, 0))(found[f"{name}_mean"]) for name in DRAWN),
        ]
        for strategy, found in by_index(amounts).items()
    )
    return table([STRATEGY, *DRAWN.values()], rows)


def _mix(facts: TaskFacts, results: Results) -> str:
    share = results.by_class(facts)["drawn_share_mean"]
    whole = sum(facts.class_counts)
    rows = [["*in the training part*", *(percent(count / whole) for count in facts.class_counts)]]
    for strategy in results.drawn(facts).index:
        rows.append([markdown(strategy), *(percent(share[(strategy, name)]) for name in facts.class_names)])
    return table([STRATEGY, *map(markdown, facts.class_names)], rows)
