"""The figure on the first screen: for each task every strategy's difference to the baseline, coloured by its verdict."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from bench.plotting.labels import label
from bench.plotting.style import INK
from bench.report import wording
from bench.report.page_parts import Chart
from bench.report.recommendation import Recommendation
from bench.report.sections.ranking import axis_limits, describe_verdicts, draw_difference, ranked_verdicts
from bench.report.task_results import TaskResults, is_exploratory, verdict_kind
from bench.report.titles import display_name

WIDTH = 4.7  # inches: fits a phone, and twice a desk
_SIZE = 8.5  # points
_LINE, _GAP, _FOOT = 0.135, 0.06, 0.45  # inches: a line of a name, the gap between names, the axis below


@dataclass(frozen=True)
class TaskDifferences:
    """One panel of the figure: a task and its differences."""

    task: str
    anchor: str
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
    pairs = [(task, each) for task, each in zip(tasks, recommendations, strict=True) if task.verdicts]
    if not pairs:
        return None
    verdicts = [verdict for task, _ in pairs for verdict in ranked_verdicts(task)]
    limits = axis_limits(verdicts)
    kinds = {verdict_kind(verdict) for verdict in verdicts}
    legend = [(kind.replace(" ", "-"), words) for kind, words in wording.VERDICT_WORDS.items() if kind in kinds]
    if any(map(is_exploratory, verdicts)):
        legend.append(("exploratory", wording.OVERVIEW_EXPLORATORY))
    if any(recommended_strategy(each) for _, each in pairs):
        legend.append(("recommended", wording.OVERVIEW_RECOMMENDED))
    return Overview(
        wording.OVERVIEW_TITLE.format(metric=pairs[0][0].metric_title),
        wording.OVERVIEW_NOTE,
        legend,
        [_panel(task, recommended_strategy(each), limits) for task, each in pairs],
    )


def recommended_strategy(recommendation: Recommendation | None) -> str:
    """Return the strategy to use; empty where it is the baseline, or there is no conclusion."""
    is_use = recommendation is not None and recommendation.decision == "use the remedy"
    return recommendation.best.strategy if recommendation and is_use else ""


def _panel(task: TaskResults, recommended: str, limits: tuple[float, float]) -> TaskDifferences:
    verdicts = ranked_verdicts(task)
    alt = wording.OVERVIEW_ALT.format(
        task=task.facts.task, metric=task.metric_title, differences=describe_verdicts(verdicts)
    )
    names = [
        label(f"{'★ ' if each.strategy == recommended else ''}{display_name(each.strategy)}", width=26)
        for each in verdicts
    ]
    heights = [_GAP + _LINE * (name.count("\n") + 1) for name in names]
    page = Figure(figsize=(WIDTH, _FOOT + sum(heights)), layout="constrained")
    axes = page.add_subplot()
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(limits)
    for row, verdict in enumerate(verdicts):
        draw_difference(axes, row, verdict, markersize=5.5)
    axes.set(yticks=range(len(verdicts)), yticklabels=names, ylim=(len(verdicts) - 0.4, -0.6))
    axes.set_xlabel(f"{task.metric_title}, difference to plain training", size=_SIZE)
    axes.tick_params(axis="y", length=0, labelsize=_SIZE)
    axes.tick_params(axis="x", labelsize=_SIZE)
    axes.grid(axis="x")
    for verdict, text in zip(verdicts, axes.get_yticklabels(), strict=True):
        if verdict.strategy == recommended:
            text.set_fontweight("bold")
    return TaskDifferences(task.facts.task, task.anchor, Chart(page, task.part_name("overview"), alt))
