"""Macro-F1 against the throughput of a strategy's sampler."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from bench.plotting.limits import distance_limit, padded_limits
from bench.plotting.points import name_points, point_styles
from bench.plotting.text_labels import wrap_label
from bench.records.record import TaskFacts
from bench.report import wording
from bench.report.figures.task_figure import describe_test, placeholder_figure, task_figure
from bench.report.frame import StudyResults
from bench.report.protocol_fields import is_estimator
from bench.report.titles import NOT_MEASURED, NOTHING, display_name

TITLE = "Macro-F1 against sampling throughput"


def draw_figure(results: StudyResults, facts: TaskFacts) -> Figure:
    """Return a point per measured strategy, with its name to the right, from the highest macro-F1 down."""
    means = results.means(facts)
    costs = results.costs_of(facts)
    if means.empty:
        return placeholder_figure(results, facts, TITLE, NOTHING)
    measured = means[means.index.isin(costs)]
    if is_estimator(results.study.protocols.get(facts.task, {})):
        return placeholder_figure(results, facts, TITLE, wording.ESTIMATOR_SAMPLES_NOTHING)
    if measured.empty:
        return placeholder_figure(results, facts, TITLE, f"Sampling throughput: {NOT_MEASURED}.")
    measured = measured.assign(
        draws=[costs[str(strategy)]["draws_per_second"] for strategy in measured.index],
        slowest=[costs[str(strategy)]["slowest_draws_per_second"] for strategy in measured.index],
        fastest=[costs[str(strategy)]["fastest_draws_per_second"] for strategy in measured.index],
    )
    legend = [
        f"{describe_test(results, facts)} Point: mean over seeds; median round of sampling, on one thread.",
        "Bars: ± standard deviation over seeds; slowest to fastest round.",
    ]
    if unmeasured := [display_name(str(strategy)) for strategy in means.index if strategy not in costs]:
        legend.append(f"{NOT_MEASURED.capitalize()}: {', '.join(unmeasured)}.")
    from_best = measured["macro_f1_mean"].max() - measured["macro_f1_mean"]
    hidden = from_best > distance_limit(from_best)
    if hidden.any():
        scores = measured["macro_f1_mean"][hidden]
        names = (f"{display_name(str(strategy))} ({score:.3f})" for strategy, score in scores.items())
        legend.append(f"Below the axis: {', '.join(names)}.")

    shown = measured[~hidden]
    labels = [wrap_label(display_name(str(strategy)), width=32) for strategy in shown.index]
    label_heights = [0.08 + 0.16 * (label.count("\n") + 1) for label in labels]  # inches
    axes_height = max(2.8, sum(label_heights))
    figure = task_figure(results, facts, TITLE, legend, axes_height + 0.8)
    axes = figure.add_subplot()
    _draw_points(axes, shown)
    relative_heights = [height / axes_height for height in label_heights]
    name_points(axes, list(shown["draws"]), list(shown["macro_f1_mean"]), labels, relative_heights)
    return figure


def _draw_points(axes: Axes, shown: pd.DataFrame) -> None:
    means, sds = shown["macro_f1_mean"], shown["macro_f1_sd"].fillna(0)
    points = zip(point_styles(len(shown)), shown["draws"], shown["slowest"], shown["fastest"], means, sds, strict=True)
    for style, draws, slowest, fastest, mean, sd in points:
        rounds = [[draws - slowest], [fastest - draws]]
        axes.errorbar(draws, mean, yerr=sd, xerr=rounds, elinewidth=1.2, capsize=3, zorder=3, **style)
    # The axis covers at least a factor of 16, so that strategies of nearly the same speed look so.
    slowest, fastest = shown["slowest"].min(), shown["fastest"].max()
    centre, half_range = math.sqrt(slowest * fastest), max(math.sqrt(fastest / slowest) * 1.3, 4.0)
    axes.set(xscale="log", xlim=(centre / half_range, centre * half_range))
    axes.set(ylim=padded_limits((means - sds).min(), (means + sds).max(), 0.08, 0.005))
    axes.set(xlabel="draws per second (log scale)", ylabel="macro-F1")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if half_range < 20 else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid()
