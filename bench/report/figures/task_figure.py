"""A figure about one task: its head has the notes of the study and names the strategies that it leaves out."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.figure import Figure

from bench.plotting.style import GREY, titled_figure
from bench.plotting.text_labels import drawable
from bench.records.record import TaskFacts
from bench.report.frame import StudyResults
from bench.report.titles import display_name


def task_figure(results: StudyResults, facts: TaskFacts, title: str, legend: Iterable[str], height: float) -> Figure:
    """Return a figure with an empty body of `height` inches.

    Its head holds the title, the study's notes, the lines of `legend` that explain the figure, and what is left out.
    """
    notes = [f"Note: {note}" for note in results.study.notes]
    return titled_figure(f"{title}: {facts.task}", [*notes, *legend, *excluded_strategies(results, facts)], height)


def placeholder_figure(results: StudyResults, facts: TaskFacts, title: str, reason: str) -> Figure:
    """Return a figure that shows the reason why there is nothing else to show."""
    figure = task_figure(results, facts, title, [], 0.8)
    y = 0.4 / figure.get_figheight()
    figure.text(0.5, y, drawable(reason), ha="center", va="center", size=11, color=GREY)
    return figure


def describe_test(results: StudyResults, facts: TaskFacts) -> str:
    """Return for instance "Test part, balanced classes, 3,200 training steps."; steps are left out if unknown."""
    steps = results.study.protocols.get(facts.task, {}).get("steps")
    class_mix = "balanced classes" if facts.prior == "balanced" else "the source's class mix"
    training = f", {steps:,} training steps" if isinstance(steps, int) else ""
    return f"Test part, {class_mix}{training}."


def excluded_strategies(results: StudyResults, facts: TaskFacts) -> list[str]:
    """Return a line that names the strategies a figure of the task cannot show; no line if it shows all."""
    outcomes = results.outcomes_of(facts)
    incomplete = [
        f"{display_name(outcome.strategy)} ({outcome.seeds_finished} seeds)"
        for outcome in outcomes
        if outcome.status == "incomplete"
    ]
    skipped = [f"{display_name(outcome.strategy)} (skipped)" for outcome in outcomes if outcome.status == "skipped"]
    names = incomplete + skipped
    return [f"Not shown: {', '.join(names)}."] if names else []
