"""Macro-F1 against sampling throughput: what a strategy's draws cost beside what it gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from bench.plotting.labels import label
from bench.plotting.points import looks, name_points
from bench.plotting.style import reach
from bench.records.record import TaskFacts
from bench.report.figures.task_figure import budget, canvas, empty
from bench.report.frame import Results
from bench.report.titles import NOT_MEASURED, NOTHING

TITLE = "Macro-F1 against sampling throughput"


def figure(results: Results, facts: TaskFacts) -> Figure:
    """A point a strategy, named at the right in the order of the points."""
    means = results.means(facts)
    costs = results.cost(facts)
    if means.empty:
        return empty(results, facts, TITLE, NOTHING)
    shown = means[means.index.isin(costs)]
    if shown.empty:
        return empty(results, facts, TITLE, f"Sampling throughput: {NOT_MEASURED}.")
    shown = shown.assign(
        draws=[costs[str(strategy)]["draws_per_second"] for strategy in shown.index],
        slowest=[costs[str(strategy)]["slowest_draws_per_second"] for strategy in shown.index],
        fastest=[costs[str(strategy)]["fastest_draws_per_second"] for strategy in shown.index],
    )
    said = [
        budget(results, facts),
        "Point: mean over seeds; median of draw rounds, on one thread. Bars: ± sd; slowest to fastest round.",
    ]
    unmeasured = [str(strategy) for strategy in means.index if strategy not in costs]
    if unmeasured:
        said.append(f"{NOT_MEASURED.capitalize()}: {', '.join(unmeasured)}.")
    far = shown["macro_f1_mean"].max() - shown["macro_f1_mean"]
    below = far > reach(far)
    if below.any():
        off = (f"{strategy} ({mean:.3f})" for strategy, mean in shown["macro_f1_mean"][below].items())
        said.append(f"Below the axis: {', '.join(off)}.")
    shown = shown[~below]
    names = [label(str(strategy), width=32) for strategy in shown.index]
    sizes = [0.08 + 0.16 * (name.count("\n") + 1) for name in names]  # inches
    inches = max(2.8, sum(sizes))
    page = canvas(results, facts, TITLE, said, inches + 0.8)
    axes = page.add_subplot()
    _points(axes, shown)
    name_points(axes, list(shown["draws"]), list(shown["macro_f1_mean"]), names, [size / inches for size in sizes])
    return page


def _points(axes: Axes, shown: pd.DataFrame) -> None:
    mean, sd, draws = shown["macro_f1_mean"], shown["macro_f1_sd"].fillna(0), shown["draws"]
    rounds = zip(shown["slowest"], shown["fastest"], strict=True)
    for look, x, y, deviation, (low, high) in zip(looks(len(shown)), draws, mean, sd, rounds, strict=True):
        between = [[x - low], [high - x]]
        axes.errorbar(x, y, yerr=deviation, xerr=between, elinewidth=1.2, capsize=3, zorder=3, **look)
    centre, half = (
        np.sqrt(shown["slowest"].min() * shown["fastest"].max()),
        max(np.sqrt(shown["fastest"].max() / shown["slowest"].min()) * 1.3, 4.0),
    )
    low, high = (mean - sd).min(), (mean + sd).max()
    pad = max(0.08 * (high - low), 0.005)
    axes.set(xscale="log", xlim=(centre / half, centre * half), ylim=(low - pad, high + pad))
    axes.set(xlabel="items drawn a second (log scale)", ylabel="macro-F1")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if half < 20 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid()
