"""How fast strategies draw, and what else they take."""

from __future__ import annotations

from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.report.titles import COST_MEANINGS, COSTS
from bench.text.numbers import amount

TITLE = "Throughput"
SHOWN = [name for name in COSTS if "step" not in name and name != "peak_bytes"]
"""The others stand beside the Pareto front."""


def parts(judged: Judged) -> list[Part]:
    """Figure and table of what was measured a second."""
    costs = judged.results.cost(judged.facts)
    rows = [
        {"strategy": strategy, **{COSTS[name]: amount(found[name]) for name in SHOWN}}
        for strategy, found in costs.items()
    ]
    if not rows:
        return ["Not measured."]
    fastest = max(costs, key=lambda each: costs[each]["draws_per_second"])
    slowest = min(costs, key=lambda each: costs[each]["draws_per_second"])
    alt = (
        f"Macro-F1 against items drawn a second. Fastest: {fastest}; slowest: {slowest}. The numbers are in the table."
    )
    return [
        "; ".join(f"{title}: {meaning}" for title, meaning in COST_MEANINGS.items()) + ".",
        judged.drawing("throughput", alt),
        Table(rows, judged.name("cost")),
    ]
