"""The figure on the first screen: for each task every strategy's difference to the baseline, coloured by its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.plotting.style import INK
from bench.plotting.text_labels import fit_lines, shorten_label, width_in_inches, wrap_label
from bench.report import wording
from bench.report.data_set_answer import DataSetAnswer, describe_decision
from bench.report.figures.task_figure import excluded_strategies
from bench.report.page_parts import Chart
from bench.report.recommendation import Recommendation
from bench.report.sections.ranking import (
    axis_limits,
    describe_verdicts,
    draw_difference,
    ranked_verdicts,
    verdict_handles,
)
from bench.report.task_results import TaskResults, is_exploratory
from bench.report.titles import short_name
from bench.stats import OUTCOMES, Verdict

OVERVIEW_FILE = "figures/overview.png"
"""Where the poster is written, relative to the results directory."""
WIDTH = 4.2  # inches: fits a phone, and three times on a desktop screen
_NUMBER, _GUTTER = 0.5, 0.08  # inches: the numbers at the right, and the space before the axis
_SIZE, _SMALL = 8.5, 7.5  # points
_LINE, _GAP, _FOOT = 0.135, 0.05, 0.38  # inches: a line of a name, the gap between names, the axis below
_TOP = 0.03
_TITLE, _LEGEND, _NOTE, _HEADING, _HEADING_LINE, _BETWEEN = 0.18, 0.44, 0.16, 0.12, 0.16, 0.3
"""Inches on the poster: a line of the title, the legend, a line of the notes, the space above a panel, a line of its title, the
space between columns."""
_TITLE_SIZE, _HEADING_SIZE = 11.0, 9.5  # points
_LONGEST_METRIC = 34  # letters: more do not fit under an axis


@dataclass(frozen=True)
class TaskDifferences:
    """One panel of the figure: a task and its differences."""

    data_set: str
    """The data set and its answer, on the first of several forms; empty on the others, and where there is one form."""
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
    poster: Figure
    """All panels on one figure, which is written as a file."""


def draw_overview(answers: list[DataSetAnswer]) -> Overview | None:
    """Draw one panel per task, the forms of a data set in a row, all with the same axis; None where no task has a verdict."""
    pairs = [pair for answer in answers for pair in answer.forms if pair[0].verdicts]
    if not pairs:
        return None
    lines = {answer.forms[0][0].facts.task: answer.line for answer in answers if len(answer.forms) > 1}
    verdicts = [verdict for task, _ in pairs for verdict in ranked_verdicts(task)]
    limits = axis_limits(verdicts)
    left = max(_names_width(task, recommended_strategy(recommendation)) for task, recommendation in pairs) + _GUTTER
    kinds = {verdict.outcome for verdict in verdicts}
    legend: list[tuple[str, str]] = [(outcome.replace(" ", "-"), outcome) for outcome in OUTCOMES if outcome in kinds]
    if any(map(is_exploratory, verdicts)):
        legend.append(("exploratory", wording.OVERVIEW_EXPLORATORY))
    if any(recommended_strategy(recommendation) for _, recommendation in pairs):
        legend.append(("recommended", wording.OVERVIEW_RECOMMENDED))
    title = wording.OVERVIEW_TITLE.format(metric=pairs[0][0].metric_title)
    return Overview(
        title,
        wording.OVERVIEW_NOTE,
        legend,
        [_panel(task, recommendation, limits, left, lines.get(task.facts.task, "")) for task, recommendation in pairs],
        _draw_poster(pairs, limits, left, title, lines.values()),
    )


def recommended_strategy(recommendation: Recommendation | None) -> str:
    """Return the strategy to use; empty where it is the baseline, or there is no conclusion."""
    is_use = recommendation is not None and recommendation.decision == "use the remedy"
    return recommendation.best.strategy if recommendation and is_use else ""


def _panel(
    task: TaskResults, recommendation: Recommendation | None, limits: tuple[float, float], left: float, data_set: str
) -> TaskDifferences:
    """Draw the panel of a task; `left` is the width of the names in inches."""
    alt = wording.OVERVIEW_ALT.format(
        task=task.facts.task, metric=task.metric_title, differences=describe_verdicts(ranked_verdicts(task))
    )
    page = Figure(figsize=(WIDTH, _panel_height(task, recommendation)))
    _draw_panel(page, task, recommendation, limits, left, corner=(0.0, 0.0))
    chart = Chart(page, task.part_name("overview"), alt)
    return TaskDifferences(data_set, task.facts.task, task.anchor, describe_decision(recommendation), chart)


def _rows_height(task: TaskResults, recommendation: Recommendation | None) -> float:
    names = [_name(verdict, recommended_strategy(recommendation)) for verdict in ranked_verdicts(task)]
    return sum(_GAP + _LINE * (name.count("\n") + 1) for name in names)


def _panel_height(task: TaskResults, recommendation: Recommendation | None) -> float:
    return _TOP + _rows_height(task, recommendation) + _FOOT


def _draw_panel(
    page: Figure,
    task: TaskResults,
    recommendation: Recommendation | None,
    limits: tuple[float, float],
    left: float,
    corner: tuple[float, float],
) -> None:
    """Draw a task's differences with the lower left corner of the panel at `corner` of the page, in inches."""
    recommended = recommended_strategy(recommendation)
    verdicts = ranked_verdicts(task)
    page_width, page_height = page.get_size_inches()
    x, y = corner[0] + left, corner[1] + _FOOT
    width, height = WIDTH - left - _NUMBER, _rows_height(task, recommendation)
    axes = page.add_axes((x / page_width, y / page_height, width / page_width, height / page_height))
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(limits)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    for row, verdict in enumerate(verdicts):
        draw_difference(axes, row, verdict, markersize=5.5, size=_SIZE)
    names = [_name(verdict, recommended) for verdict in verdicts]
    axes.set(yticks=range(len(verdicts)), yticklabels=names, ylim=(len(verdicts) - 0.5, -0.5))
    metric = shorten_label(task.metric_title, most=_LONGEST_METRIC)
    axes.set_xlabel(f"{metric}, difference to plain training", size=_SMALL, labelpad=1)
    axes.tick_params(axis="y", length=0, labelsize=_SIZE)
    axes.tick_params(axis="x", labelsize=_SMALL, pad=2)
    axes.grid(axis="x")
    for verdict, text in zip(verdicts, axes.get_yticklabels(), strict=True):
        if verdict.strategy == recommended:
            text.set_fontweight("bold")


def _draw_poster(
    pairs: Sequence[tuple[TaskResults, Recommendation | None]],
    limits: tuple[float, float],
    left: float,
    title: str,
    answers: Iterable[str],
) -> Figure:
    """Draw all panels on one figure, in two columns, with answers and legend on top: the file that a README can show."""
    columns: list[list[tuple[TaskResults, Recommendation | None]]] = [[], []]
    filled = [0.0, 0.0]
    for pair in pairs:
        shorter = filled.index(min(filled))
        columns[shorter].append(pair)
        filled[shorter] += _titled_height(*pair)
    width = 2 * WIDTH + _BETWEEN
    results = pairs[0][0].results
    notes = [*answers, wording.OVERVIEW_POSTER_KEY, *(f"Note: {note}" for note in results.study.notes)]
    notes += [f"{task.facts.task}: {line}" for task, _ in pairs for line in excluded_strategies(results, task.facts)]
    note_lines = [line for note in notes for line in fit_lines(note, width - 0.3, _SIZE)]
    title_lines = fit_lines(title, width - 0.3, _TITLE_SIZE, "bold")
    above_notes = _TITLE * len(title_lines) + _LEGEND
    head = above_notes + _NOTE * len(note_lines)
    height = max(filled) + head
    page = Figure(figsize=(width, height))
    for number, line in enumerate(note_lines):
        page.text(0.01, 1 - (above_notes - 0.04 + _NOTE * number) / height, line, size=_SIZE, va="top")
    page.text(0.01, 1 - 0.08 / height, "\n".join(title_lines), size=_TITLE_SIZE, weight="bold", va="top")
    handles = verdict_handles(verdict for task, _ in pairs for verdict in ranked_verdicts(task))
    page.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 1 - (0.06 + _TITLE * len(title_lines)) / height),
        ncols=len(handles),
        frameon=False,
    )
    for number, column in enumerate(columns):
        x, y = number * (WIDTH + _BETWEEN), height - head
        for task, recommendation in column:
            heading = "\n".join(_heading_lines(task, recommendation))
            page.text((x + 0.08) / width, (y - 0.05) / height, heading, size=_HEADING_SIZE, weight="bold", va="top")
            y -= _titled_height(task, recommendation)
            _draw_panel(page, task, recommendation, limits, left, corner=(x, y))
    return page


def _heading_lines(task: TaskResults, recommendation: Recommendation | None) -> list[str]:
    heading = f"{task.facts.task}: {describe_decision(recommendation)}"
    return fit_lines(heading, WIDTH - 0.1, _HEADING_SIZE, "bold")


def _titled_height(task: TaskResults, recommendation: Recommendation | None) -> float:
    """Return the height of a panel with its title, in inches."""
    lines = _heading_lines(task, recommendation)
    return _HEADING + _HEADING_LINE * len(lines) + _panel_height(task, recommendation)


def _name(verdict: Verdict, recommended: str) -> str:
    star = "★ " if verdict.strategy == recommended else ""
    return wrap_label(f"{star}{short_name(verdict.strategy)}", width=25)


def _names_width(task: TaskResults, recommended: str) -> float:
    """Return the width of the longest line of a task's names in inches."""
    return max(
        width_in_inches(line, _SIZE, "bold" if verdict.strategy == recommended else "normal")
        for verdict in ranked_verdicts(task)
        for line in _name(verdict, recommended).split("\n")
    )
