"""The class mix that each strategy really trained on."""

from __future__ import annotations

from markupsafe import Markup

from bench.report.page.datatable import interactive, plain
from bench.report.page.judged import Judged
from bench.report.titles import DRAWN

TITLE = "Class mix that was drawn"


def parts(judged: Judged) -> list[str | Markup]:
    """Shares of all labels drawn, by class, and how much was drawn."""
    shares = judged.results.by_class(judged.facts)
    if shares.empty:
        return []
    facts, amounts = judged.facts, judged.results.drawn(judged.facts)
    whole = sum(facts.class_counts)
    per_cent = [plain(100 * count / whole, ".2f") for count in facts.class_counts]
    header = [f"{name}, %" for name in facts.class_names]
    rows = [{"strategy": "(the training part)", **dict(zip(header, per_cent, strict=True))}]
    for strategy in amounts.index:
        drawn = (100 * shares.at[(strategy, name), "drawn_share_mean"] for name in facts.class_names)
        rows.append(
            {"strategy": str(strategy), **{name: plain(each, ".2f") for name, each in zip(header, drawn, strict=True)}}
        )
    for row in rows:
        found = amounts.loc[row["strategy"]] if row["strategy"] in amounts.index else None
        for name, title in DRAWN.items():
            row[title] = "-" if found is None else plain(found[f"{name}_mean"], ".4g")
    return [
        "Per cent of all labels drawn, mean over seeds. Remedies that act in the loss leave the mix as it is.",
        interactive(rows, judged.name("mix")),
    ]
