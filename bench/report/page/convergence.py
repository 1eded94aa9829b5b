"""Whether training had stopped getting better: curves, the checkpoints chosen, and how many were the last."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.page.judged import Judged
from bench.report.page.part import Part, Table
from bench.text.numbers import plain

TITLE = "Training curves"


def parts(judged: Judged) -> list[Part]:
    """The curves of the strategies that were trained, and a table of the steps chosen."""
    rows = list(_rows(judged))
    if not rows:
        return []
    alt = "Validation macro-F1 by step, a panel a strategy. " + "; ".join(
        f"{row['strategy']}: {row['not converged']} of {row['seeds']} seeds not converged" for row in rows
    )
    return [
        judged.drawing("curves", alt),
        Table(rows, judged.name("curves")),
    ]


def _rows(judged: Judged) -> Iterator[dict[str, str]]:
    chosen = judged.results.curves.query("chosen and task == @judged.facts.task")
    trained = judged.results.trained(judged.facts)
    for strategy, steps in chosen.groupby("strategy", sort=False)["step"]:
        outcome = judged.outcomes[str(strategy)]
        if strategy in trained:
            yield {
                "strategy": str(strategy),
                "seeds": str(len(outcome.records)),
                "not converged": str(outcome.not_converged),
                "step chosen, mean": plain(float(steps.mean()), ".0f"),
                "earliest": plain(float(steps.min()), ".0f"),
                "latest": plain(float(steps.max()), ".0f"),
            }
