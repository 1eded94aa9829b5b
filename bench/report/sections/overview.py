"""The figure on the first screen: for each task every strategy's difference to the baseline, coloured by its verdict."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.plotting.style import INK
from bench.plotting.text_labels import width_in_inches, wrap_label
from bench.report import wording
from bench.report.page_parts import Chart
from bench.report.recommendation import Recommendation
from bench.report.sections.ranking import (
    VERDICT_COLOURS,
    axis_limits,
    describe_verdicts,
    draw_difference,
    ranked_verdicts,
)
from bench.report.task_results import TaskResults, is_exploratory
from bench.report.titles import display_name
from bench.stats import Verdict

WIDTH = 4.2  # inches: fits a phone, and three times on a desktop screen
_NUMBER, _GUTTER = 0.5, 0.08  # inches: the numbers at the right, and the space before the axis
_SIZE, _SMALL = 8.5, 7.5  # points
_LINE, _GAP, _FOOT = 0.135, 0.05, 0.38  # inches: a line of a name, the gap between names, the axis below
_TOP = 0.03


@dataclass(frozen=True)
class TaskDifferences:
    """One panel of the figure: a task and its differences."""

    task: str
    anchor: str
    decision: str
    chart: Chart


@dataclass(frozen=True)
class Overview:
    """The figure on the first screen, and its legend: style classes with their words."""

    title: str
    note: str
    legend: list[tuple[str, str]]
    panels: list[TaskDifferences]


def draw_overview(tasks: list[TaskResults], recommendations: list[Recommendation | None]) -> Overview | None:
    """Draw one panel per task, all with the same axis; None where no task has a verdict."""
    pairs = [pair for pair in zip(tasks, recommendations, strict=True) if pair[0].verdicts]
    if not pairs:
        return None
    verdicts = [verdict for task, _ in pairs for verdict in ranked_verdicts(task)]
    limits = axis_limits(verdicts)
    left = max(_names_width(task, recommended_strategy(recommendation)) for task, recommendation in pairs) + _GUTTER
    kinds = {verdict.outcome for verdict in verdicts}
    legend: list[tuple[str, str]] = [
        (outcome.replace(" ", "-"), outcome) for outcome in VERDICT_COLOURS if outcome in kinds
    ]
    if any(map(is_exploratory, verdicts)):
        legend.append(("exploratory", wording.OVERVIEW_EXPLORATORY))
    if any(recommended_strategy(recommendation) for _, recommendation in pairs):
        legend.append(("recommended", wording.OVERVIEW_RECOMMENDED))
    return Overview(
        wording.OVERVIEW_TITLE.format(metric=pairs[0][0].metric_title),
        wording.OVERVIEW_NOTE,
        legend,
        [_panel(task, recommendation, limits, left) for task, recommendation in pairs],
    )


def recommended_strategy(recommendation: Recommendation | None) -> str:
    """Return the strategy to use; empty where it is the baseline, or there is no conclusion."""
    is_use = recommendation is not None and recommendation.decision == "use the remedy"
    return recommendation.best.strategy if recommendation and is_use else ""


def _decision(recommendation: Recommendation | None) -> str:
    if recommendation is None or recommendation.decision == "no conclusion":
        return wording.OVERVIEW_OPEN
    if recommendation.decision == "keep plain training":
        return wording.OVERVIEW_KEEP
    return wording.OVERVIEW_USE.format(remedy=display_name(recommendation.best.strategy))


def _panel(
    task: TaskResults, recommendation: Recommendation | None, limits: tuple[float, float], left: float
) -> TaskDifferences:
    """Draw the panel of a task; `left` is the width of the names in inches."""
    recommended = recommended_strategy(recommendation)
    verdicts = ranked_verdicts(task)
    alt = wording.OVERVIEW_ALT.format(
        task=task.facts.task, metric=task.metric_title, differences=describe_verdicts(verdicts)
    )
    names = [_name(verdict, recommended) for verdict in verdicts]
    rows = sum(_GAP + _LINE * (name.count("\n") + 1) for name in names)
    height = _TOP + rows + _FOOT
    page = Figure(figsize=(WIDTH, height))
    width = WIDTH - left - _NUMBER
    axes = page.add_axes((left / WIDTH, _FOOT / height, width / WIDTH, rows / height))
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(limits)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    for row, verdict in enumerate(verdicts):
        draw_difference(axes, row, verdict, markersize=5.5, size=_SIZE)
    axes.set(yticks=range(len(verdicts)), yticklabels=names, ylim=(len(verdicts) - 0.5, -0.5))
    axes.set_xlabel(f"{task.metric_title}, difference to plain training", size=_SMALL, labelpad=1)
    axes.tick_params(axis="y", length=0, labelsize=_SIZE)
    axes.tick_params(axis="x", labelsize=_SMALL, pad=2)
    axes.grid(axis="x")
    for verdict, text in zip(verdicts, axes.get_yticklabels(), strict=True):
        if verdict.strategy == recommended:
            text.set_fontweight("bold")
    chart = Chart(page, task.part_name("overview"), alt)
    return TaskDifferences(task.facts.task, task.anchor, _decision(recommendation), chart)


def _name(verdict: Verdict, recommended: str) -> str:
    star = "★ " if verdict.strategy == recommended else ""
    return wrap_label(f"{star}{display_name(verdict.strategy)}", width=25)


def _names_width(task: TaskResults, recommended: str) -> float:
    """Return the width of the longest line of a task's names in inches."""
    return max(
        width_in_inches(line, _SIZE, "bold" if verdict.strategy == recommended else "normal")
        for verdict in ranked_verdicts(task)
        for line in _name(verdict, recommended).split("\n")
    )
