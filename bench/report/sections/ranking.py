"""Every strategy against the baseline: differences with intervals, and what the seeds allow to conclude."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.plotting.limits import distance_limit, padded_limits
from bench.plotting.style import COLOURS, GREY, INK
from bench.plotting.text_labels import drawable, wrap_label
from bench.report import wording
from bench.report.figures.task_figure import describe_test, task_figure
from bench.report.page_parts import Chart, Part, RowAnchors, Table
from bench.report.task_results import TaskResults, is_exploratory
from bench.report.titles import BASELINE, display_name
from bench.stats import BETTER, EQUIVALENT, INCONCLUSIVE, TOO_FEW_SEEDS, WORSE, Outcome, Verdict
from bench.text.numbers import format_number, format_signed, plural

TITLE = wording.RANKING
VERDICT_MARKS: dict[Outcome, tuple[Any, str]] = {
    BETTER: (COLOURS["green"], "^"),
    WORSE: (COLOURS["vermilion"], "v"),
    EQUIVALENT: (COLOURS["blue"], "s"),
    INCONCLUSIVE: (GREY, "o"),
    TOO_FEW_SEEDS: (INK, "D"),
}
"""Colour and marker of each outcome, in the order of legends: markers tell outcomes apart without colours."""
EDGE = 0.015
"""Where the arrow head of an outlier is: this share of the axis from its end."""


def build(task: TaskResults) -> list[Part]:
    """Return a chart and a table, the best strategy first."""
    if not task.verdicts:
        return [task.comparison.reason or wording.RANKING_EMPTY]
    verdicts = ranked_verdicts(task)
    alt = wording.RANKING_ALT.format(metric=task.metric_title, differences=describe_verdicts(verdicts))
    intervals = wording.RANKING_INTERVALS.format(coverage=coverage(task))
    anchors = {display_name(name): task.row_anchor(name) for name in task.verdicts}
    return [
        _family(task),
        Chart(_figure(task, verdicts), task.part_name("ranking"), alt),
        RowAnchors(anchors),
        Table([_row(task, verdict) for verdict in verdicts], task.part_name("ranking")),
        intervals,
    ]


def ranked_verdicts(task: TaskResults) -> list[Verdict]:
    """Return the verdicts against the baseline, the best mean first."""
    return [task.verdicts[name] for name in task.means.index if name in task.verdicts]


def describe_verdicts(verdicts: list[Verdict]) -> str:
    """Return the verdicts in words, for those who do not see the figure."""
    return "; ".join(f"{wording.named_difference(verdict)}, {wording.conclusion(verdict)}" for verdict in verdicts)


def coverage(task: TaskResults) -> str:
    """Return what the intervals cover."""
    return wording.COVERAGE_FIXED if task.split == "fixed" else wording.COVERAGE_RESPLIT


def _family(task: TaskResults) -> str:
    post_hoc = [name for name in task.baselines_to_beat if name not in task.primary]
    is_declared = task.facts.task in task.results.study.primary
    return wording.RANKING_FAMILY.format(
        count=plural(len(task.primary), "strategy"),
        declared=wording.RANKING_DECLARED if is_declared else wording.RANKING_FIRST,
        post_hoc=wording.RANKING_POST_HOC.format(strategies=wording.names(post_hoc)) if post_hoc else "",
    )


def _row(task: TaskResults, verdict: Verdict) -> dict[str, str]:
    return {
        "strategy": display_name(verdict.strategy),
        f"difference to {display_name(BASELINE)}": format_signed(verdict.difference),
        "low": format_signed(verdict.low),
        "high": format_signed(verdict.high),
        "verdict": f"{verdict.outcome}: {verdict.reason}" if verdict.reason else wording.conclusion(verdict),
        task.metric_title: format_number(task.means[verdict.strategy]),
        "family": verdict.family,
        "p": format_number(verdict.p, ".3g"),
        "adjusted p": format_number(verdict.adjusted_p, ".3g"),
        "minimum detectable effect": format_number(verdict.minimum_detectable_effect),
        "relative step time": format_number(task.relative_step_time(verdict.strategy).ratio, ".2f"),
        "seeds": str(verdict.n),
    }


def _figure(task: TaskResults, verdicts: list[Verdict]) -> Figure:
    names = [wrap_label(display_name(verdict.strategy), width=44) for verdict in verdicts]
    limits = axis_limits(verdicts)
    lines = [f"{describe_test(task.results, task.facts)} {wording.RANKING_FIGURE}", *_beyond(verdicts, *limits)]
    height = 1.0 + sum(0.16 + 0.16 * (name.count("\n") + 1) for name in names)
    baseline = display_name(BASELINE)
    page = task_figure(task.results, task.facts, f"Difference to {baseline} in {task.metric_title}", lines, height)
    axes = page.add_subplot()
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(limits)
    for row, verdict in enumerate(verdicts):
        draw_difference(axes, row, verdict, markersize=8)
    axes.set(yticks=range(len(verdicts)), yticklabels=names, ylim=(len(verdicts) - 0.4, -0.6))
    axes.set_xlabel(drawable(f"{task.metric_title} minus that of the {baseline}"))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    handles = verdict_handles(verdicts)
    page.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return page


def _ends(verdict: Verdict) -> tuple[float, float]:
    """Return the interval, or the difference twice where there is none."""
    return (verdict.difference, verdict.difference) if np.isnan(verdict.low) else (verdict.low, verdict.high)


def axis_limits(verdicts: list[Verdict]) -> tuple[float, float]:
    """Return an axis that holds 0 and all intervals, except those of a few strategies that are far from all others."""
    distances = [max(map(abs, _ends(verdict))) for verdict in verdicts]
    furthest = distance_limit(distances)
    inside = [verdict for verdict, distance in zip(verdicts, distances, strict=True) if distance <= furthest]
    ends = [0.0, *(end for verdict in inside for end in _ends(verdict))]
    return padded_limits(min(ends), max(ends))


def _beyond(verdicts: list[Verdict], low: float, high: float) -> list[str]:
    """Return lines that name what is beyond the axis."""
    outside = [verdict for verdict in verdicts if not low <= verdict.difference <= high]
    inside = [verdict for verdict in verdicts if verdict not in outside]
    cut = [verdict.strategy for verdict in inside if verdict.low < low or verdict.high > high]
    outliers = ", ".join(
        f"{display_name(verdict.strategy)} ({format_signed(verdict.difference)})" for verdict in outside
    )
    return [
        *([wording.RANKING_BEYOND.format(strategies=outliers)] if outside else []),
        *([wording.RANKING_CUT.format(strategies=wording.names(cut))] if cut else []),
    ]


def verdict_handles(verdicts: Iterable[Verdict]) -> list[Line2D]:
    """Return the marks of a legend: those of the outcomes that occur."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return [
        Line2D([], [], color=colour, marker=marker, label=outcome)
        for outcome, (colour, marker) in VERDICT_MARKS.items()
        if outcome in outcomes
    ]


def draw_difference(axes: Axes, row: int, verdict: Verdict, *, markersize: float, size: float | None = None) -> None:
    """Draw a difference with its interval and its number; one beyond the axis is an arrow head at the axis' end."""
    colour, marker = VERDICT_MARKS[verdict.outcome]
    low, high = axes.get_xlim()
    edge = EDGE * (high - low)
    axes.plot(_ends(verdict), [row, row], color=colour, linewidth=markersize / 4, solid_capstyle="butt")
    axes.plot(
        min(max(verdict.difference, low + edge), high - edge),
        row,
        "<" if verdict.difference < low else ">" if verdict.difference > high else marker,
        markersize=markersize,
        markerfacecolor="white" if is_exploratory(verdict) else colour,
        markeredgecolor=colour,
        markeredgewidth=markersize / 5,
        zorder=3,
    )
    axes.annotate(
        format_signed(verdict.difference),
        (1.02, row),
        xycoords=axes.get_yaxis_transform(),
        va="center",
        size=size,
        annotation_clip=False,
    )
