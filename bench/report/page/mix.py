"""The class mix that each strategy really trained on."""

from __future__ import annotations

from bench.report.frame import by_index
from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.report.titles import DRAWN
from bench.text.numbers import plain

TITLE = "Class mix that was drawn"
_FORMS = {"items": ",.0f", "labels": ",.0f", "effective_sample_size": ",.0f"}


def parts(judged: Judged) -> list[Part]:
    """Shares of all labels drawn, by class, and how much was drawn."""
    drawn = by_index(judged.results.drawn(judged.facts))
    if not drawn:
        return []
    facts, shares = judged.facts, by_index(judged.results.by_class(judged.facts))
    whole = sum(facts.class_counts)
    rows = [_row("(the training part)", facts.class_names, [count / whole for count in facts.class_counts], {})]
    for strategy, amounts in drawn.items():
        mix = [shares[strategy, name]["drawn_share_mean"] for name in facts.class_names]
        rows.append(_row(strategy, facts.class_names, mix, amounts))
    return [
        "Per cent of all labels drawn, mean over seeds. Remedies that act in the loss leave the mix as it is.",
        Table(rows, judged.name("mix")),
    ]


def _row(strategy: str, classes: list[str], mix: list[float], amounts: dict[str, float]) -> dict[str, str]:
    shares = {f"{name}, %": plain(100 * share, ".2f") for name, share in zip(classes, mix, strict=True)}
    found = {
        title: plain(amounts.get(f"{name}_mean", float("nan")), _FORMS.get(name, ".3f"))
        for name, title in DRAWN.items()
    }
    return {"strategy": strategy, **shares, **found}
