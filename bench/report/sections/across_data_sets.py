"""The verdict over independent data sets: mean ranks and their critical-difference diagram, or why there is none."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.style import INK, WIDTH
from bench.plotting.text_labels import shorten_label
from bench.report import wording
from bench.report.data_set_answer import data_set_of
from bench.report.page_parts import Chart
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.stats import DataSetRanks, NoRanks, rank_over_data_sets
from bench.stats.power import ALPHA


def summarise(tasks: list[TaskResults]) -> str:
    """Return the verdict over independent data sets, or why there is none; and that each task is tested by itself."""
    if not tasks:
        return wording.NO_TASKS
    families = sum(bool(task.family) for task in tasks)
    chance = f"{min(ALPHA * families, 1):.0%}"
    alone = wording.EACH_TASK_ALONE.format(tasks=families, chance=chance) if families > 1 else ""
    return _verdict(rank_strategies(tasks)) + alone


def draw_ranks(tasks: list[TaskResults]) -> Chart | None:
    """Return the diagram of Demsar (2006), JMLR 7; None where there is no overall verdict."""
    ranks = rank_strategies(tasks) if tasks else None
    if not isinstance(ranks, DataSetRanks):
        return None
    critical = f"{ranks.critical_difference:.2f}"
    return Chart(_draw_diagram(ranks), "ranks", wording.RANKS_ALT.format(ranks=_list_ranks(ranks), critical=critical))


def _draw_diagram(data_set_ranks: DataSetRanks) -> Figure:
    """Draw the diagram: ranks from left to right, the better half labelled on the left, the others on the right."""
    page = Figure(figsize=(WIDTH, 1.4 + 0.22 * len(data_set_ranks.mean_ranks)), layout="constrained")
    axes = page.add_subplot()
    page.suptitle(wording.RANKS_TITLE, x=0.01, ha="left", size=9)
    ranks = data_set_ranks.mean_ranks.to_list()
    low, high = math.floor(ranks[0]), math.ceil(ranks[-1])
    bars = _joined_stretches(data_set_ranks)
    first_label = 1 + 0.5 * len(bars)  # below the bars, one unit per label
    half = (len(ranks) + 1) // 2
    for place, (name, rank) in enumerate(data_set_ranks.mean_ranks.items()):
        row, left = (place, True) if place < half else (len(ranks) - 1 - place, False)
        edge, down = low - 0.05 if left else high + 0.05, first_label + row
        axes.plot([rank, rank, edge], [0, down, down], color=INK, linewidth=0.8)
        strategy = shorten_label(display_name(str(name)), most=30)
        text = f"{strategy} [{rank:.2f}] " if left else f" [{rank:.2f}] {strategy}"
        axes.text(edge, down, text, ha="right" if left else "left", va="center")
    for number, (first, last) in enumerate(bars):
        height = 0.5 + 0.5 * number
        axes.plot([ranks[first] - 0.02, ranks[last] + 0.02], [height, height], color=INK, linewidth=3)
    _draw_scale(axes, low, high, bottom=first_label + half)
    return page


def _joined_stretches(data_set_ranks: DataSetRanks) -> list[tuple[int, int]]:
    """Return the first and last place of each longest stretch of strategies that Nemenyi's test does not separate."""
    p = data_set_ranks.pairwise_p.loc[data_set_ranks.mean_ranks.index, data_set_ranks.mean_ranks.index].to_numpy()
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


def rank_strategies(tasks: list[TaskResults]) -> DataSetRanks | NoRanks:
    """Rank the strategies over independent data sets."""
    planned = dict.fromkeys(row.strategy for row in tasks[0].results.study.strategies)
    names = [name for name in planned if any(name in task.means for task in tasks)]
    table = pd.DataFrame({task.facts.task: task.means.reindex(names) for task in tasks}, index=names)
    data_sets = {task.facts.task: data_set_of(task.facts.task) for task in tasks}
    return rank_over_data_sets(table, data_sets, direction=tasks[0].metric.direction)


def _verdict(ranks: DataSetRanks | NoRanks) -> str:
    if isinstance(ranks, NoRanks):
        return wording.sentence(ranks.reason)
    missing = "; ".join(
        wording.LEFT_OUT_STRATEGY.format(strategy=display_name(name), tasks=", ".join(tasks))
        for name, tasks in ranks.missing.items()
    )
    return wording.OVER_DATA_SETS.format(
        data_sets=len(ranks.data_sets),
        verdict=wording.STRATEGIES_DIFFER if ranks.has_differences else wording.STRATEGIES_DO_NOT_DIFFER,
        p=f"{ranks.friedman_p:.3g}",
        ranks=_list_ranks(ranks),
        critical=f"{ranks.critical_difference:.2f}",
        missing=wording.LEFT_OUT.format(strategies=missing) if missing else "",
    )


def _list_ranks(ranks: DataSetRanks) -> str:
    return ", ".join(f"{display_name(str(name))} {rank:.2f}" for name, rank in ranks.mean_ranks.items())
