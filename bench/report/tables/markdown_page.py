"""What the tables have in common: how a page begins, which rows it lists apart, and what every CSV line says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from bench.records.record import Study, TaskFacts
from bench.report.frame import Outcome, Results, seeds
from bench.text.numbers import bullets, line, markdown

COUNTS = ["seeds_finished", "seeds_planned"]


def document(title: str, study: Study, lead: Iterable[str], sections: Iterable[str]) -> str:
    """A Markdown page: title, the study's notes, how to read it, then a section for each task."""
    notes = "\n>\n".join(f"> **Note:** {markdown(note)}" for note in study.notes)
    parts = [
        f"# {title}: suite {markdown(study.suite)}",
        notes,
        *lead,
        *(list(sections) or ["The study has no tasks."]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def section(facts: TaskFacts, parts: Iterable[str]) -> str:
    """One task's part of a page; empty parts are left out."""
    return "\n\n".join([f"## {markdown(facts.task)}", *(part for part in parts if part)])


def left_out(outcomes: Iterable[Outcome]) -> str:
    """The rows that are not averaged, and why."""
    outcomes = list(outcomes)
    incomplete = (
        f"{name(each)}: {each.finished} seeds finished ({markdown(each.reason)})"
        for each in outcomes
        if each.status == "incomplete"
    )
    declined = (f"{name(each)}: {markdown(each.reason)}" for each in outcomes if each.status == "declined")
    parts = [titled("Incomplete, not averaged", incomplete), titled("Declined", declined)]
    return "\n\n".join(part for part in parts if part)


def warnings(outcomes: Iterable[Outcome]) -> str:
    """What strategies warned of, each once with its seeds."""
    said = (
        f"{name(outcome)}: {markdown(note)} ({'every seed' if len(where) == len(outcome.row.runs) else seeds(where)})"
        for outcome in outcomes
        for note, where in outcome.notes.items()
    )
    return titled("Notes of the strategies", said)


def chosen(outcomes: Iterable[Outcome], objective: str) -> str:
    """Which setting of each tuned strategy the numbers are of."""
    said = (
        f"{name(each)}: {markdown(each.row.configuration)}, of {len(each.row.configurations)}"
        for each in outcomes
        if each.row.configurations and each.status == "complete"
    )
    return titled(f"Settings, chosen by mean {markdown(Path(objective).name)} on validation", said)


def name(outcome: Outcome) -> str:
    """The strategy's name in Markdown, as lists begin with it."""
    return f"**{markdown(outcome.row.strategy)}**"


def titled(title: str, items: Iterable[str]) -> str:
    """A Markdown list under its title; nothing if there are no items."""
    listed = bullets(items)
    return f"{title}:\n\n{listed}" if listed else ""


def standing(outcome: Outcome) -> dict[str, Any]:
    """The CSV columns that say what a line is of."""
    row = outcome.row
    return {
        "task": row.task,
        "strategy": row.strategy,
        "status": outcome.status,
        "seeds_finished": len(outcome.records),
        "seeds_planned": len(row.runs),
    }


def lines_of(results: Results, lines: Iterable[dict[str, Any]], columns: list[str], whole: list[str]) -> pd.DataFrame:
    """CSV lines in these columns, closed by the notes of study and task; `whole` columns hold integers."""
    said = {facts.task: "; ".join(map(line, (*results.study.notes, *facts.notes))) for facts in results.study.tasks}
    frame = pd.DataFrame([{**each, "notes": said[each["task"]]} for each in lines], columns=[*columns, "notes"])
    return frame.astype(dict.fromkeys(whole, "Int64"))
