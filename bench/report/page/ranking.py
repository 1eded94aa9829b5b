"""Every strategy against `none`: differences with intervals, and what the seeds allow to be said."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plotting.labels import label
from bench.plotting.style import COLOURS, GREY, INK, reach
from bench.report.figures.task_figure import budget, canvas
from bench.report.frame import PLAIN
from bench.report.page.caveats import coverage
from bench.report.page.judged import Judged
from bench.report.page.part import Drawing, Part, Table
from bench.report.page.told import change
from bench.stats import NOT_SIGNIFICANT, TOO_FEW_SEEDS, Verdict
from bench.text.numbers import plain, signed

TITLE = "Ranking"
_LOOKS = {
    "better": (COLOURS["green"], "better"),
    "worse": (COLOURS["vermilion"], "worse"),
    NOT_SIGNIFICANT: (GREY, NOT_SIGNIFICANT),
    TOO_FEW_SEEDS: (INK, TOO_FEW_SEEDS),
}


def parts(judged: Judged) -> list[Part]:
    """Figure and table, the best first."""
    if not judged.verdicts:
        return [judged.comparison.reason or "Nothing beside none has finished all its seeds."]
    ranked = _ranked(judged)
    alt = f"Differences to {PLAIN} in {judged.metric.name}, with 95% intervals: " + "; ".join(
        f"{each.strategy} {change(each)}, {each.outcome}" for each in ranked
    )
    return [
        _family(judged),
        Drawing(_figure(judged, ranked), judged.name("ranking"), alt),
        Table([_row(judged, each) for each in ranked], judged.name("ranking")),
        f"Intervals are for each difference alone. {coverage(judged)}",
    ]


def _ranked(judged: Judged) -> list[Verdict]:
    return [judged.verdicts[name] for name in judged.means.index if name in judged.verdicts]


def _family(judged: Judged) -> str:
    count = len(judged.primary)
    free = [name for name in judged.free if name not in judged.primary]
    declared = judged.facts.task in judged.results.study.primary
    how = "declared by the suite" if declared else "the first of the suite, which declares none"
    beside = f", and what is free ({', '.join(free)})" if free else ""
    return (
        f"Family: {count} primary strategies, {how}{beside}. Their verdicts are by Holm's adjusted p, on this task together "
        "wrong in at most 5% of studies without a difference. All others are exploratory, by p alone: with many of them some "
        "are wrong."
    )


def _row(judged: Judged, each: Verdict) -> dict[str, str]:
    return {
        "strategy": each.strategy,
        f"difference to {PLAIN}": signed(each.difference),
        "low": signed(each.low),
        "high": signed(each.high),
        "verdict": f"{TOO_FEW_SEEDS}: {each.reason}" if each.outcome == TOO_FEW_SEEDS else each.outcome,
        judged.metric.name: plain(judged.means[each.strategy]),
        "family": each.family,
        "p": plain(each.p, ".3g"),
        "adjusted p": plain(each.adjusted_p, ".3g"),
        "minimum detectable effect": plain(each.minimum_detectable_effect),
        "step cost": plain(judged.step_cost(each.strategy).ratio, ".2f"),
        "seeds": str(each.n),
    }


def _figure(judged: Judged, ranked: list[Verdict]) -> Figure:
    names = [label(each.strategy, width=44) for each in ranked]
    limits = _limits(ranked)
    said = [
        f"{budget(judged.results, judged.facts)} Bar: 95% interval. Filled: the family; open: exploratory.",
        *_beyond(ranked, *limits),
    ]
    height = 1.0 + sum(0.16 + 0.16 * (name.count("\n") + 1) for name in names)
    page = canvas(judged.results, judged.facts, f"Difference to {PLAIN} in {judged.metric.name}", said, height)
    axes = page.add_subplot()
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(limits)
    for row, each in enumerate(ranked):
        _draw(axes, row, each)
    axes.set(yticks=range(len(ranked)), yticklabels=names, ylim=(len(ranked) - 0.4, -0.6))
    axes.set_xlabel(f"{judged.metric.name} minus that of {PLAIN}")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    found = dict.fromkeys(each.outcome for each in ranked)
    handles = [axes.plot([], [], "o-", color=_LOOKS[each][0], label=_LOOKS[each][1])[0] for each in found]
    page.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return page


def _ends(each: Verdict) -> tuple[float, float]:
    """The interval, or the difference where there is none."""
    return (each.difference, each.difference) if np.isnan(each.low) else (each.low, each.high)


def _limits(ranked: list[Verdict]) -> tuple[float, float]:
    """Where the axis begins and ends: 0 and the intervals are on it, without the few that are far from all others."""
    far = {each.strategy: max(map(abs, _ends(each))) for each in ranked}
    furthest = reach(far.values())
    ends = [0.0, *(end for each in ranked if far[each.strategy] <= furthest for end in _ends(each))]
    pad = max(0.05 * (max(ends) - min(ends)), 0.002)
    return min(ends) - pad, max(ends) + pad


def _beyond(ranked: list[Verdict], low: float, high: float) -> list[str]:
    """What of the figure lies beyond the axis."""
    outside = [each for each in ranked if not low <= each.difference <= high]
    cut = [each for each in ranked if each not in outside and (each.low < low or each.high > high)]
    names = ", ".join(f"{each.strategy} ({signed(each.difference)})" for each in outside)
    return [
        *([f"Beyond the axis, an arrow head at its edge: {names}."] if outside else []),
        *([f"The interval goes on beyond the axis: {', '.join(each.strategy for each in cut)}."] if cut else []),
    ]


def _draw(axes: Axes, row: int, each: Verdict) -> None:
    colour, _ = _LOOKS[each.outcome]
    low, high = axes.get_xlim()
    edge = 0.015 * (high - low)
    axes.plot(_ends(each), [row, row], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot(
        min(max(each.difference, low + edge), high - edge),
        row,
        "<" if each.difference < low else ">" if each.difference > high else "o",
        markersize=8,
        markerfacecolor=colour if each.family != "exploratory" else "white",
        markeredgecolor=colour,
        markeredgewidth=1.6,
        zorder=3,
    )
    axes.annotate(
        signed(each.difference),
        (1.02, row),
        xycoords=axes.get_yaxis_transform(),
        va="center",
        annotation_clip=False,
    )
