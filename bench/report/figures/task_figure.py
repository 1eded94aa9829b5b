"""The figure of a task: its head says what holds for the study, and which strategies are left out."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.figure import Figure

from bench.plotting.labels import drawable
from bench.plotting.style import GREY, titled_figure
from bench.records.record import TaskFacts
from bench.report.frame import Results


def canvas(results: Results, facts: TaskFacts, title: str, said: Iterable[str], height: float) -> Figure:
    """An empty figure whose head holds the title, the study's notes, the lines of `said` and the strategies left out."""
    notes = [f"Note: {note}" for note in results.study.notes]
    return titled_figure(f"{title}: {facts.task}", (*notes, *said, *_left_out(results, facts)), height)


def empty(results: Results, facts: TaskFacts, title: str, why: str) -> Figure:
    """A figure in place of one that has nothing to show."""
    figure = canvas(results, facts, title, [], 0.8)
    figure.text(0.5, 0.4 / figure.get_figheight(), drawable(why), ha="center", va="center", size=11, color=GREY)
    return figure


def budget(results: Results, facts: TaskFacts) -> str:
    """ "Test, balanced classes, 3,200 steps": what the numbers hold for."""
    steps = results.study.protocols.get(facts.task, {}).get("steps")
    mix = "balanced classes" if facts.prior == "balanced" else "the source's class mix"
    return f"Test part, {mix}" + (f", {steps:,} training steps." if isinstance(steps, int) else ".")


def _left_out(results: Results, facts: TaskFacts) -> list[str]:
    names = [
        f"{each.row.strategy} ({each.finished} seeds)" for each in results.of(facts) if each.status == "incomplete"
    ] + [f"{each.row.strategy} (declined)" for each in results.of(facts) if each.status == "declined"]
    return [f"Not shown: {', '.join(names)}."] if names else []
