"""The verdict over independent data sets: mean ranks, their critical-difference diagram, or why there is none."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.style import INK, WIDTH
from bench.report.page.judged import Judged
from bench.report.page.part import Drawing
from bench.report.page.told import sentence
from bench.stats import DataSetRanks, NoRanks, rank_over_data_sets
from bench.stats.power import ALPHA

TITLE = "Mean ranks over data sets, 1 the best; a bar joins strategies that Nemenyi's test does not tell apart (5%)"


def said(tasks: list[Judged]) -> str:
    """The verdict over independent data sets, or why there is none; and that tasks are judged one by one."""
    if not tasks:
        return "No overall verdict: the study has no tasks."
    families = sum(bool(judged.family) for judged in tasks)
    alone = (
        f" Each task is judged by itself: of studies of {families} tasks without any difference, up to "
        f"{min(ALPHA * families, 1):.0%} have a false verdict on one of them."
    )
    return _sentence(over_data_sets(tasks)) + (alone if families > 1 else "")


def diagram(tasks: list[Judged]) -> Drawing | None:
    """The diagram of Demsar (2006), JMLR 7; nothing where there is no overall verdict."""
    found = over_data_sets(tasks) if tasks else None
    if not isinstance(found, DataSetRanks):
        return None
    ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in found.mean_ranks.items())
    return Drawing(
        _figure(found), "ranks", f"Mean ranks: {ranks}. Critical difference: {found.critical_difference:.2f}"
    )


def _figure(found: DataSetRanks) -> Figure:
    """Draw the diagram: ranks from left to right, the better half labelled on the left, the others on the right."""
    page = Figure(figsize=(WIDTH, 1.4 + 0.22 * len(found.mean_ranks)), layout="constrained")
    axes = page.add_subplot()
    page.suptitle(TITLE, x=0.01, ha="left", size=9)
    ranks = found.mean_ranks.to_list()
    low, high = math.floor(ranks[0]), math.ceil(ranks[-1])
    bars = _joined(found)
    first_label = 1 + 0.5 * len(bars)  # below the bars, one unit per label
    half = (len(ranks) + 1) // 2
    for place, (name, rank) in enumerate(found.mean_ranks.items()):
        row, left = (place, True) if place < half else (len(ranks) - 1 - place, False)
        edge, down = low - 0.05 if left else high + 0.05, first_label + row
        axes.plot([rank, rank, edge], [0, down, down], color=INK, linewidth=0.8)
        text = f"{name} [{rank:.2f}] " if left else f" [{rank:.2f}] {name}"
        axes.text(edge, down, text, ha="right" if left else "left", va="center")
    for number, (first, last) in enumerate(bars):
        height = 0.5 + 0.5 * number
        axes.plot([ranks[first] - 0.02, ranks[last] + 0.02], [height, height], color=INK, linewidth=3)
    _draw_scale(axes, low, high, bottom=first_label + half)
    return page


def _joined(found: DataSetRanks) -> list[tuple[int, int]]:
    """Return the first and last place of each longest stretch of strategies that Nemenyi's test does not separate."""
    p = found.pairwise_p.loc[found.mean_ranks.index, found.mean_ranks.index].to_numpy()
    last_joined = [max(j for j in range(i, len(p)) if p[i, j] >= ALPHA) for i in range(len(p))]
    return [
        (first, last)
        for first, last in enumerate(last_joined)
        if last > first and last not in last_joined[:first]  # not within the stretch of a better strategy
    ]


def _draw_scale(axes: Axes, low: int, high: int, bottom: float) -> None:
    axes.set(xlim=(low - 0.05, high + 0.05), ylim=(bottom, 0), yticks=[], xticks=range(low, high + 1))
    axes.xaxis.tick_top()
    axes.spines["top"].set_visible(True)
    for side in ("left", "right", "bottom"):
        axes.spines[side].set_visible(False)


def over_data_sets(tasks: list[Judged]) -> DataSetRanks | NoRanks:
    """The strategies' ranks over independent data sets."""
    planned = dict.fromkeys(row.strategy for row in tasks[0].results.study.strategies)
    names = [name for name in planned if any(name in judged.means for judged in tasks)]
    table = pd.DataFrame({judged.facts.task: judged.means.reindex(names) for judged in tasks}, index=names)
    data_sets = {judged.facts.task: _data_set(judged.facts.task) for judged in tasks}
    return rank_over_data_sets(table, data_sets, direction=tasks[0].metric.direction)


def _sentence(found: DataSetRanks | NoRanks) -> str:
    if isinstance(found, NoRanks):
        return sentence(found.reason)
    lacking = "; ".join(f"{name} lacks {', '.join(tasks)}" for name, tasks in found.missing.items())
    ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in found.mean_ranks.items())
    verdict = "strategies differ" if found.differ else "no significant difference between strategies"
    return (
        f"Over {len(found.data_sets)} data sets: {verdict} (Friedman p = {found.friedman_p:.3g}). Mean ranks: {ranks}; "
        f"ranks closer than {found.critical_difference:.2f} are not told apart (Nemenyi, 5%)."
        + (f" Left out: {lacking}." if lacking else "")
    )


def _data_set(task: str) -> str:
    """The data that a task is made of: its kinds of items and its parameters are variants of one set."""
    name = task.partition("(")[0]
    return "conll2003" if name.startswith("conll2003-") else name
