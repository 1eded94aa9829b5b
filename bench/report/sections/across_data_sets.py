"""The verdict over independent data sets: mean ranks and their critical-difference diagram, or why there is none."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bench.plotting.style import INK, WIDTH
from bench.report import wording
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
    return Chart(_figure(ranks), "ranks", wording.RANKS_ALT.format(ranks=_listed(ranks), critical=critical))


def _figure(ranks: DataSetRanks) -> Figure:
    from scikit_posthocs import critical_difference_diagram  # imports statsmodels and plotting

    page = Figure(figsize=(WIDTH, 1.4 + 0.22 * len(ranks.mean_ranks)), layout="constrained")
    axes = page.add_subplot()
    axes.set_title(wording.RANKS_TITLE, loc="left", size=9)
    critical_difference_diagram(
        ranks.mean_ranks.rename(index=display_name),
        ranks.pairwise_p.rename(index=display_name, columns=display_name),
        ax=axes,
        label_fmt_left="{label} [{rank:.2f}]",
        label_fmt_right="[{rank:.2f}] {label}",
        color_palette=[INK] * len(ranks.mean_ranks),
        text_h_margin=0.02,
    )
    return page


def rank_strategies(tasks: list[TaskResults]) -> DataSetRanks | NoRanks:
    """Rank the strategies over independent data sets."""
    planned = dict.fromkeys(row.strategy for row in tasks[0].results.study.strategies)
    names = [name for name in planned if any(name in task.means for task in tasks)]
    table = pd.DataFrame({task.facts.task: task.means.reindex(names) for task in tasks}, index=names)
    data_sets = {task.facts.task: _data_set(task.facts.task) for task in tasks}
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
        verdict=wording.STRATEGIES_DIFFER if ranks.differ else wording.STRATEGIES_DO_NOT_DIFFER,
        p=f"{ranks.friedman_p:.3g}",
        ranks=_listed(ranks),
        critical=f"{ranks.critical_difference:.2f}",
        missing=wording.LEFT_OUT.format(strategies=missing) if missing else "",
    )


def _listed(ranks: DataSetRanks) -> str:
    return ", ".join(f"{display_name(str(name))} {rank:.2f}" for name, rank in ranks.mean_ranks.items())


def _data_set(task: str) -> str:
    """Return the data set of a task: tasks with other items or parameters are variants of one set."""
    name = task.partition("(")[0]
    return "conll2003" if name.startswith("conll2003-") else name
