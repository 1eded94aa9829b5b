"""The objective against step cost: which strategies no other beats in both."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bench.plotting.labels import label
from bench.plotting.points import looks, name_points
from bench.plotting.style import INK, LIGHT, reach
from bench.report.figures.task_figure import budget, canvas
from bench.report.page.judged import Judged, StepCost
from bench.report.page.part import Drawing, Part, Table
from bench.report.titles import ADDS, COSTS
from bench.stats import pareto_front
from bench.text.numbers import MISSING, amount, plain

TITLE = "What it costs: the Pareto front"


def parts(judged: Judged) -> list[Part]:
    """Figure and table; strategies without a measured cost stand in the table only."""
    found = _points(judged)
    if found["ratio"].isna().all():
        return ["Step cost: not measured."]
    front = [str(name) for name in found.index[found["front"]]]
    alt = f"{judged.metric.name} against step cost. On the front: {', '.join(front)}."
    rows = [
        {
            "strategy": str(name),
            judged.metric.name: plain(point["value"]),
            "step cost (none = 1)": plain(point["ratio"], ".2f"),
            "lowest round": plain(point["low"], ".2f"),
            "highest round": plain(point["high"], ".2f"),
            "on the front": "yes" if point["front"] else "no",
            **_beside(judged, str(name)),
        }
        for name, point in found.iterrows()
    ]
    unmeasured = [str(name) for name in found.index[found["ratio"].isna()]]
    return [
        f"On the front, no other is at least as good for no more: {', '.join(front)}. Costs whose rounds overlap count as equal; "
        "of the objective means alone decide, so a neighbour within the intervals of the ranking may stand in for any of them.",
        Drawing(_figure(judged, found.dropna()), judged.name("pareto"), alt),
        Table(rows, judged.name("pareto")),
        *([f"Step cost not measured: {', '.join(unmeasured)}."] if unmeasured else []),
    ]


def _beside(judged: Judged, strategy: str) -> dict[str, str]:
    """What a strategy takes beside its steps."""
    found = judged.results.cost(judged.facts).get(strategy, {})
    taken = {COSTS[name]: amount(found.get(name)) for name in ("setup_seconds", "peak_bytes")}
    return taken | {ADDS: judged.outcomes[strategy].row.extra_cost or MISSING}


def _points(judged: Judged) -> pd.DataFrame:
    """The objective's mean, the step cost, and whether the strategy is on the front: the best first."""
    values, sign = judged.means, 1 if judged.metric.direction == "up" else -1
    found = [judged.step_cost(str(name)) for name in values.index]
    costs = pd.DataFrame(found, values.index, StepCost._fields, dtype=float)
    front = pareto_front(sign * values.to_numpy(), costs["low"], costs["high"])
    return costs.assign(value=values, front=front)


def _figure(judged: Judged, found: pd.DataFrame) -> Figure:
    far = (found["value"] - judged.means.iloc[0]).abs()
    beyond = (far > reach(far)) & ~found["front"]
    said = [
        f"{budget(judged.results, judged.facts)} Thin bar: lowest to highest round of the step cost. Steps: the front.",
        *([f"Beyond the axis: {_values(found['value'][beyond])}."] if beyond.any() else []),
    ]
    found = found[~beyond]
    names = [label(f"{name} (front)" if on else str(name), width=34) for name, on in found["front"].items()]
    sizes = [0.08 + 0.16 * (name.count("\n") + 1) for name in names]  # inches
    height = max(2.8, sum(sizes))
    name = judged.metric.name
    page = canvas(judged.results, judged.facts, f"{name} against step cost", said, height + 0.8)
    axes = page.add_subplot()
    front = found[found["front"]].sort_values("ratio")
    axes.step(front["ratio"], front["value"], where="post", color=LIGHT, linewidth=2)
    for look, (_, point) in zip(looks(len(found)), found.iterrows(), strict=True):
        axes.hlines(point["value"], point["low"], point["high"], color=look["color"], linewidth=1, zorder=2)
        axes.plot(point["ratio"], point["value"], zorder=3, **look)
    axes.axvline(1, color=INK, linewidth=0.7, linestyle=":")
    axes.set(xlabel="seconds a step over those of none", ylabel=name)
    axes.margins(0.08)
    axes.grid()
    name_points(axes, list(found["ratio"]), list(found["value"]), names, [size / height for size in sizes])
    return page


def _values(of: pd.Series[float]) -> str:
    return ", ".join(f"{name} ({plain(value)})" for name, value in of.items())
