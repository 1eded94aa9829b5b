"""The metric against relative step time: which strategies no other one beats in both."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bench.plotting.limits import distance_limit
from bench.plotting.points import name_points, point_styles
from bench.plotting.style import INK, LIGHT
from bench.plotting.text_labels import drawable, wrap_label
from bench.report import wording
from bench.report.figures.task_figure import describe_test, task_figure
from bench.report.page_parts import Chart, Part, Table
from bench.report.task_results import RelativeStepTime, TaskResults
from bench.report.titles import COSTS, EXTRA_COST, display_name
from bench.stats import pareto_front
from bench.text.numbers import MISSING, format_amount, format_number

TITLE = wording.COST_BENEFIT


def build(task: TaskResults) -> list[Part]:
    """Return a chart and a table; strategies without a measured cost are in the table only."""
    points = _points(task)
    if points["ratio"].isna().all():
        return [wording.COST_NONE_MEASURED]
    front = wording.names(map(str, points.index[points["front"]]))
    alt = wording.COST_BENEFIT_ALT.format(metric=wording.capitalised(task.metric_title), strategies=front)
    rows = [
        {
            "strategy": display_name(str(name)),
            task.metric_title: format_number(point["value"]),
            "relative step time (baseline = 1)": format_number(point["ratio"], ".2f"),
            "lowest round": format_number(point["low"], ".2f"),
            "highest round": format_number(point["high"], ".2f"),
            "Pareto-optimal": "yes" if point["front"] else "no",
            **_other_costs(task, str(name)),
        }
        for name, point in points.iterrows()
    ]
    unmeasured = wording.names(map(str, points.index[points["ratio"].isna()]))
    return [
        wording.COST_BENEFIT_LEAD.format(strategies=front),
        wording.explain_costs("relative step time", "set-up", "peak memory", EXTRA_COST),
        Chart(_figure(task, points.dropna()), task.part_name("cost-benefit"), alt),
        Table(rows, task.part_name("cost-benefit")),
        *([wording.COST_UNMEASURED.format(strategies=unmeasured)] if unmeasured else []),
    ]


def _other_costs(task: TaskResults, strategy: str) -> dict[str, str]:
    """Return what a strategy costs besides the time of its steps."""
    cost = task.results.costs_of(task.facts).get(strategy, {})
    columns = {COSTS[name]: format_amount(cost.get(name)) for name in ("setup_seconds", "peak_bytes")}
    return columns | {EXTRA_COST: task.outcomes[strategy].planned.extra_cost or MISSING}


def _points(task: TaskResults) -> pd.DataFrame:
    """Return the metric's mean, the relative step time and whether it is Pareto-optimal, by strategy, the best first."""
    values, sign = task.means, 1 if task.metric.direction == "up" else -1
    times = [task.relative_step_time(str(name)) for name in values.index]
    costs = pd.DataFrame(times, values.index, RelativeStepTime._fields, dtype=float)
    front = pareto_front(sign * values.to_numpy(), costs["low"], costs["high"])
    return costs.assign(value=values, front=front)


def _figure(task: TaskResults, points: pd.DataFrame) -> Figure:
    distance = (points["value"] - task.means.iloc[0]).abs()
    is_beyond = (distance > distance_limit(distance)) & ~points["front"]
    lines = [f"{describe_test(task.results, task.facts)} {wording.COST_BENEFIT_FIGURE}"]
    if is_beyond.any():
        lines.append(wording.COST_BENEFIT_BEYOND.format(strategies=_values(points["value"][is_beyond])))
    points = points[~is_beyond]
    names = [
        wrap_label(f"{display_name(str(name))} (front)" if on_front else display_name(str(name)), width=34)
        for name, on_front in points["front"].items()
    ]
    sizes = [0.08 + 0.16 * (name.count("\n") + 1) for name in names]  # inches
    height = max(2.8, sum(sizes))
    metric = task.metric_title
    page = task_figure(
        task.results, task.facts, f"{wording.capitalised(metric)} against relative step time", lines, height + 0.8
    )
    axes = page.add_subplot()
    front = points[points["front"]].sort_values("ratio")
    axes.step(front["ratio"], front["value"], where="post", color=LIGHT, linewidth=2)
    for look, (_, point) in zip(point_styles(len(points)), points.iterrows(), strict=True):
        axes.hlines(point["value"], point["low"], point["high"], color=look["color"], linewidth=1, zorder=2)
        axes.plot(point["ratio"], point["value"], zorder=3, **look)
    axes.axvline(1, color=INK, linewidth=0.7, linestyle=":")
    axes.set(xlabel="relative step time (baseline = 1)", ylabel=drawable(metric))
    axes.margins(0.08)
    axes.grid()
    name_points(axes, list(points["ratio"]), list(points["value"]), names, [size / height for size in sizes])
    return page


def _values(of: pd.Series[float]) -> str:
    return ", ".join(f"{display_name(str(name))} ({format_number(value)})" for name, value in of.items())
